/* kafka_client.h - what the Kafka source and the Kafka sink share: configuration, errors, what
 * librdkafka has to say.
 *
 * librdkafka reports trouble by log lines and by an error callback, from its own threads.  Neither
 * is printed: they are kept in struct cl_kafka_notes, and the next error that this program returns
 * quotes the newest. */
#ifndef CITYLAKE_SOURCE_KAFKA_CLIENT_H
#define CITYLAKE_SOURCE_KAFKA_CLIENT_H

#include "spec/spec.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>

struct cl_kafka_notes {
    pthread_mutex_t lock; /* guards all below */
    char text[512];       /* newest complaint, "" = none */
    rd_kafka_resp_err_t
        event; /* error event that nobody took: all brokers down, or one that needs a person */
    char event_text[512];
    int certificate; /* why a broker's certificate was refused last (X509_V_ERR_...), 0 = none */
};

void cl_kafka_notes_init(struct cl_kafka_notes *n);
void cl_kafka_notes_fini(struct cl_kafka_notes *n);

/* Copies the newest complaint, "" when there is none.  Returns buf. */
const char *cl_kafka_notes_text(struct cl_kafka_notes *n, char *buf, size_t size);

/* Takes the newest error event; RD_KAFKA_RESP_ERR_NO_ERROR when there is none.  text holds 512
 * bytes. */
rd_kafka_resp_err_t cl_kafka_notes_take_event(struct cl_kafka_notes *n, char text[512]);

struct cl_kafka_property {
    const char *name, *value;
};

/* A client of `type`.  Its configuration: `defaults`, then the servers and properties of the spec,
 * then `fixed`, which the spec may not change; both tables end with a NULL name.  The opaque of the
 * client and of its callbacks is `notes`.  dr_msg_cb may be NULL.
 * CL_EINVAL: librdkafka refuses a property (named). */
CL_MUSTCHECK enum cl_code
cl_kafka_client_new(const struct cl_spec *spec, rd_kafka_type_t type,
                    const struct cl_kafka_property *defaults, const struct cl_kafka_property *fixed,
                    struct cl_kafka_notes *notes,
                    void (*dr_msg_cb)(rd_kafka_t *, const rd_kafka_message_t *, void *),
                    rd_kafka_t **ret, struct cl_error *err);

/* A setting that will not mend itself: wrong password, no permission, no TLS. */
bool cl_kafka_needs_a_person(rd_kafka_resp_err_t e);

/* Fills err from a librdkafka error: "message: reason (newest complaint)".  Person-needing errors
 * are CL_EINVAL and fatal, others are CL_EIO.  notes may be NULL. */
enum cl_code cl_kafka_fail(struct cl_error *err, rd_kafka_resp_err_t e,
                           struct cl_kafka_notes *notes, const char *fmt, ...) CL_PRINTF(4, 5);

/* Metadata of one topic, or of all when topic is NULL.  A broker that refuses us (password,
 * certificate) ends the wait at once, with the error that says so. */
CL_MUSTCHECK rd_kafka_resp_err_t cl_kafka_metadata(rd_kafka_t *rk, struct cl_kafka_notes *notes,
                                                   rd_kafka_topic_t *topic, int timeout_ms,
                                                   const struct rd_kafka_metadata **ret);

/* The same for a broker that gives no answer or refuses us; names the servers and what to do. */
enum cl_code cl_kafka_fail_unreachable(struct cl_error *err, rd_kafka_resp_err_t e,
                                       struct cl_kafka_notes *notes, const char *servers);

#endif
