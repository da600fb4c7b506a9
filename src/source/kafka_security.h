/* kafka_security.h - kafka.security of city.yaml -> librdkafka's settings, and what a broker's
 * refusal means.
 *
 * A broker's certificate is checked by OpenSSL as librdkafka has it do; the callback set here only
 * remembers why one was refused, because librdkafka says the same of a wrong host name, an expired
 * certificate and an unknown issuer. */
#ifndef CITYLAKE_SOURCE_KAFKA_SECURITY_H
#define CITYLAKE_SOURCE_KAFKA_SECURITY_H

#include "source/kafka_client.h"

/* Secrets are read from their files here.  CL_EINVAL: a file cannot be read (named), librdkafka
 * refuses a value (the setting is named, the value never). */
CL_MUSTCHECK enum cl_code cl_kafka_security_apply(rd_kafka_conf_t *conf, const struct cl_spec *spec,
                                                  struct cl_error *err);

/* What to do about an error of the client, "" when nothing better is known than its own text.
 * certificate: X509_V_ERR_... of the last refused certificate, 0 = none. */
const char *cl_kafka_security_remedy(rd_kafka_resp_err_t e, const char *text, int certificate);

#endif
