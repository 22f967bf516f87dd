/*
 * A program that needs one adapter, the one that ADAPTER_NAME is defined for: it includes its header and
 * links its library, the core and the framework.
 */
#include <herald/herald.h>

#if defined(ADAPTER_microhttpd)
#include <herald/microhttpd.h>
#define USE herald_serve
#elif defined(ADAPTER_curl)
#include <herald/callback.h>
#define USE herald_callback_handler_create
#elif defined(ADAPTER_libevent)
#include <herald/libevent.h>
#define USE herald_libevent_create
#elif defined(ADAPTER_civetweb)
#include <herald/civetweb.h>
#define USE herald_civetweb_attach
#elif defined(ADAPTER_fastcgi)
#include <herald/fastcgi.h>
#define USE herald_fastcgi_start
#elif defined(ADAPTER_ulfius)
#include <herald/ulfius.h>
#define USE herald_ulfius_attach
#else
#error "an adapter that this file does not know"
#endif

int
main(void)
{
	/* Not called: what it links is enough, down to the framework. */
	__typeof__(&USE) volatile use = &USE;
	struct herald_service *service = NULL;
	struct herald_error error;

	return use && herald_service_create(NULL, &service, &error) != HERALD_OK ? 0 : 1;
}
