/*
 * What several headers for C++ share. Not for users.
 */
#ifndef HERALD_CPP_DETAIL_HPP
#define HERALD_CPP_DETAIL_HPP

#include <exception>

namespace herald
{

namespace detail
{

template <class T> inline constexpr bool always_false = false;

/*
 * Call `call`; if an exception leaves it, return what `caught` makes of its text. Exceptions must
 * not pass through Herald, which is C.
 */
template <class Call, class Caught>
auto
guard(Call &&call, Caught &&caught) noexcept -> decltype(caught(""))
{
#ifdef __cpp_exceptions
	try {
		return call();
	} catch (const std::exception &exception) {
		return caught(exception.what());
	} catch (...) {
		return caught("an exception that is not a std::exception");
	}
#else
	(void)caught;
	return call();
#endif
}

} // namespace detail

} // namespace herald

#endif
