#ifndef FRONT_WEB_ROUTES_H
#define FRONT_WEB_ROUTES_H

struct evhttp_request;
struct web_connection;

/* Finds who answers a request: by table, after authorization. */
void web_route(struct web_connection *, struct evhttp_request *);

#endif
