/*
 * The lines of an envelope that begins with a message.
 */
#ifndef HERALD_CPP_MESSAGE_FIELDS_HPP
#define HERALD_CPP_MESSAGE_FIELDS_HPP

#include <cstddef>
#include <type_traits>
#include <vector>

#include <herald/cpp/line.hpp>
#include <herald/cpp/member.hpp>
#include <herald/message.h>
#include <herald/schema.h>

namespace herald
{

/** The lines of a message in a struct S; see message_fields(). */
template <class S> class message_lines
{
      public:
	/** Made by message_fields(). */
	explicit message_lines(std::size_t offset) noexcept
	{
		for (std::size_t i = 0; i < herald_message_schema.fields_count; i++) {
			lines_.emplace_back(herald_message_schema.fields[i]);
			lines_.back().field_.offset += offset;
		}
	}

      private:
	friend class schema<S>;
	std::vector<line<S>> lines_;
};

/**
 * The lines of an envelope that begins with a message, as HERALD_MESSAGE_FIELDS; see the option
 * `envelope` of services. Where ctx.message() is not NULL, a function reads the envelope as
 * `*reinterpret_cast<const my_message *>(ctx.message())`.
 *
 *	struct my_message { herald_message message; const char *tenant; };
 *
 *	static const herald::schema<my_message> my_message_schema{
 *		"my_message", herald::message_fields(&my_message::message),
 *		herald::field("tenant", &my_message::tenant).required()};
 *
 *	options.c.envelope = &my_message_schema.get();
 */
template <class S, class M>
message_lines<S>
message_fields(M S::*member) noexcept
{
	static_assert(std::is_same_v<M, herald_message>, "the member must be a herald_message");
	return message_lines<S>(detail::offset_of(member));
}

} // namespace herald

#endif
