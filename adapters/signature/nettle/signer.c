/*
 * The signer of deliveries: signs each attempt anew, with the delivery's id and the current time.
 */
#include "signer.h"

#include <herald/adapter/options.h>

#include "private.h"

/* The herald_signer_ops.sign callback. */
static enum herald_status
sign_attempt(struct herald_signer *signer, const struct herald_signer_request *request,
	     herald_signer_sink *sink, void *state, struct herald_error *error)
{
	struct herald_signature *signature = (struct herald_signature *)signer;
	const struct herald_signature_message message = {
		.id = request->delivery->id,
		.timestamp_s = request->time_ms / 1000,
		.url = request->delivery->url,
		.content_type = request->content_type,
		.body = request->body,
		.body_bytes = request->body_bytes,
	};

	return herald_signature_sign(signature, &message, sink, state, error);
}

const struct herald_signer_ops herald__signature_signer_ops = {.name = "signature",
							       .sign = sign_attempt};

enum herald_status
herald_signature_signer(struct herald_signature *signature, struct herald_signer **out,
			struct herald_error *error)
{
	if (signature->scheme.options.code == HERALD_SIGNATURE_TOKEN)
		return herald_option_refuse(
			error, "code",
			"is a token, which any URL would be sent; set it in the "
			"headers of a destination");

	enum herald_status status = herald__scheme_check_signing(&signature->scheme, error);
	if (status == HERALD_OK)
		*out = &signature->signer;
	return status;
}
