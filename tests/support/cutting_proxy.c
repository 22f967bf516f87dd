/*
 * The proxy: one thread. Owns its sockets.
 */
#include "cutting_proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_PAIRS 64

/* A message Query of PostgreSQL's protocol: type, length, text. */
static const char commit_message[] = "Q\0\0\0\x0b"
				     "COMMIT";

struct pair {
	int client, server; /* -1: free */
	bool is_cut;        /* its client hears nothing any more */
};

struct pairs {
	struct pair pairs[MAX_PAIRS];
};

static void
end(struct pair *pair)
{
	close(pair->client);
	close(pair->server);
	*pair = (struct pair){-1, -1, false};
}

static void
accept_client(struct cutting_proxy *proxy, struct pairs *all)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(proxy->server_port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int client = accept(proxy->listener, NULL, NULL);
	struct pair *pair = all->pairs;

	while (pair < all->pairs + MAX_PAIRS && pair->client >= 0)
		pair++;
	if (client < 0)
		return;
	if (atomic_load(&proxy->refuses) || pair == all->pairs + MAX_PAIRS) {
		close(client);
		return;
	}
	*pair = (struct pair){client, socket(AF_INET, SOCK_STREAM, 0), false};
	if (connect(pair->server, (struct sockaddr *)&address, sizeof(address)) != 0)
		end(pair);
}

/* From the client to the server, unless it is a COMMIT that is cut. */
static void
forward(struct cutting_proxy *proxy, struct pair *pair)
{
	char bytes[65536];
	ssize_t got = recv(pair->client, bytes, sizeof(bytes), 0);
	enum proxy_cut cut = atomic_load(&proxy->cut);

	if (got <= 0) {
		end(pair);
		return;
	}
	if (cut != PROXY_PASSES &&
	    memmem(bytes, (size_t)got, commit_message, sizeof(commit_message))) {
		atomic_store(&proxy->cut, PROXY_PASSES);
		if (cut == PROXY_CUTS_REQUEST) {
			end(pair);
			atomic_fetch_add(&proxy->cuts, 1);
			return;
		}
		pair->is_cut = true;
	}
	if (send(pair->server, bytes, (size_t)got, MSG_NOSIGNAL) != got)
		end(pair);
}

/* From the server to the client. After a cut, the answer itself is the sign to end. */
static void
answer(struct cutting_proxy *proxy, struct pair *pair)
{
	char bytes[65536];
	ssize_t got = recv(pair->server, bytes, sizeof(bytes), 0);

	if (got <= 0 || pair->is_cut ||
	    send(pair->client, bytes, (size_t)got, MSG_NOSIGNAL) != got) {
		if (pair->is_cut)
			atomic_fetch_add(&proxy->cuts, 1);
		end(pair);
	}
}

static void
serve(struct cutting_proxy *proxy, struct pairs *all)
{
	struct pollfd polled[1 + 2 * MAX_PAIRS] = {{.fd = proxy->listener, .events = POLLIN}};

	for (int i = 0; i < MAX_PAIRS; i++) {
		polled[1 + 2 * i] = (struct pollfd){.fd = all->pairs[i].client, .events = POLLIN};
		polled[2 + 2 * i] = (struct pollfd){.fd = all->pairs[i].server, .events = POLLIN};
	}
	poll(polled, sizeof(polled) / sizeof(*polled), 10);
	for (int i = 0; i < MAX_PAIRS; i++) {
		if (polled[1 + 2 * i].revents)
			forward(proxy, &all->pairs[i]);
		if (polled[2 + 2 * i].revents && all->pairs[i].server == polled[2 + 2 * i].fd)
			answer(proxy, &all->pairs[i]);
	}
	if (polled[0].revents)
		accept_client(proxy, all);
}

static void *
run(void *state)
{
	struct cutting_proxy *proxy = state;
	struct pairs all;

	for (int i = 0; i < MAX_PAIRS; i++)
		all.pairs[i] = (struct pair){-1, -1, false};
	while (!atomic_load(&proxy->ends))
		serve(proxy, &all);
	for (int i = 0; i < MAX_PAIRS; i++)
		if (all.pairs[i].client >= 0)
			end(&all.pairs[i]);
	return NULL;
}

void
cutting_proxy_start(struct cutting_proxy *proxy, uint16_t server_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof(address);

	memset(proxy, 0, sizeof(*proxy));
	proxy->server_port = server_port;
	proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(proxy->listener, (struct sockaddr *)&address, bytes), 0);
	assert_int_equal(listen(proxy->listener, 16), 0);
	assert_int_equal(getsockname(proxy->listener, (struct sockaddr *)&address, &bytes), 0);
	proxy->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&proxy->thread, NULL, run, proxy), 0);
}

void
cutting_proxy_stop(struct cutting_proxy *proxy)
{
	atomic_store(&proxy->ends, true);
	pthread_join(proxy->thread, NULL);
	close(proxy->listener);
}
