/*
 * What the functions for C++ throw.
 */
#ifndef HERALD_CPP_ERROR_HPP
#define HERALD_CPP_ERROR_HPP

#include <cstring>
#include <stdexcept>
#include <string>

#include <herald/status.h>

namespace herald
{

#ifdef __cpp_exceptions
/** Thrown by constructors and by functions without a herald_error parameter. */
class error : public std::runtime_error
{
      public:
	explicit error(const herald_error &c) : std::runtime_error(line_of(c)), error_(c) {}

	herald_status status() const noexcept
	{
		return error_.status;
	}
	/** The error with its path and offset. */
	const herald_error &get() const noexcept
	{
		return error_;
	}

      private:
	/* "PATH: MESSAGE", or the message alone if it begins with the path. */
	static std::string line_of(const herald_error &c)
	{
		const std::string message = *c.message ? c.message : herald_status_text(c.status);

		if (*c.path == '\0' || message.compare(0, std::strlen(c.path), c.path) == 0)
			return message;
		return std::string(c.path) + ": " + message;
	}

	herald_error error_;
};
#endif

} // namespace herald

#endif
