#ifndef FRONT_WEB_WEBSOCKET_H
#define FRONT_WEB_WEBSOCKET_H

struct evhttp_request;
struct web_connection;

/* /stream of the REST API: WebSocket connections, and bytes that are posted.
 * Reference: network notes, 1.8. */

/* Handlers of the routes; each answers. */
void web_websocket_get(
    struct web_connection *, struct evhttp_request *, const char *rest);
void web_websocket_post(
    struct web_connection *, struct evhttp_request *, const char *rest);

/* The connection is gone, and with it the WebSocket that it may have become. */
void web_websocket_abandon(struct web_connection *);

#endif
