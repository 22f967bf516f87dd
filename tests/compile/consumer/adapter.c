/*
 * A program that uses one adapter, selected by ADAPTER_NAME. Includes its header and links its
 * library, the core and the framework.
 */
#include <herald/herald.h>

#if defined(ADAPTER_microhttpd)
#include <herald/microhttpd.h>
#define USE herald_microhttpd_create
#elif defined(ADAPTER_curl)
#include <herald/curl.h>
#define USE herald_curl_transport_create
#elif defined(ADAPTER_libevent)
#include <herald/libevent.h>
#define USE herald_libevent_create
#elif defined(ADAPTER_civetweb)
#include <herald/civetweb.h>
#define USE herald_civetweb_create
#elif defined(ADAPTER_fastcgi)
#include <herald/fastcgi.h>
#define USE herald_fastcgi_create
#elif defined(ADAPTER_ulfius)
#include <herald/ulfius.h>
#define USE herald_ulfius_create
#elif defined(ADAPTER_openssl)
#include <herald/openssl.h>
#define USE herald_openssl_create
#elif defined(ADAPTER_zlib)
#include <herald/zlib.h>
#define USE herald_zlib_codings
#elif defined(ADAPTER_signature)
#include <herald/signature.h>
#define USE herald_signature_create
#elif defined(ADAPTER_postgres)
#include <herald/postgres.h>
#define USE herald_postgres_create
#elif defined(ADAPTER_nats)
#include <herald/nats.h>
#define USE herald_nats_subscriber_create
#elif defined(ADAPTER_rabbitmq)
#include <herald/rabbitmq.h>
#define USE herald_rabbitmq_subscriber_create
#elif defined(ADAPTER_kafka)
#include <herald/kafka.h>
#define USE herald_kafka_subscriber_create
#elif defined(ADAPTER_sqlite)
#include <herald/sqlite.h>
#define USE herald_sqlite_create
#elif defined(ADAPTER_redis)
#include <herald/redis.h>
#define USE herald_redis_subscriber_create
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
