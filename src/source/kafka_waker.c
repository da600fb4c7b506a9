/* kafka_waker.c - tells librdkafka's broker threads that a queue has room again.
 *
 * A broker thread stops fetching when a lane's queue is full and then sleeps until something
 * happens on its connection, one second at most: taking messages out of the queue does not wake it
 * (true up to librdkafka 2.1; later ones look again by themselves).  A lane that drains its queue
 * faster than that would stand idle for most of each second: measured, 1 million messages of 300
 * bytes with 8 MiB queues took 12 s instead of 1.2 s.  Larger queues only hide it, for memory.
 *
 * Any request to the broker wakes its thread.  So lanes poke this thread whenever they have taken a
 * quarter of a queue, and it asks each leader for the end of one partition (ListOffsets), the
 * cheapest request there is and one that needs no more permission than reading.  It costs about 0.1
 * ms for each 2 MiB.  Leaders that moved after start are missed: that costs speed, nothing else. */
#include "source/kafka_internal.h"

enum { WAKE_TIMEOUT_MS = 1000 };

static void wake_leaders(struct cl_kafka_waker *w)
{
    for (int i = 0; i < w->leaders->cnt; i++) {
        w->leaders->elems[i].offset = RD_KAFKA_OFFSET_END; /* the last answer stands there */
        w->leaders->elems[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    /* A failure means that the broker is gone, which the lanes will hear. */
    (void)rd_kafka_offsets_for_times(w->rk, w->leaders, WAKE_TIMEOUT_MS);
}

static void *run(void *arg)
{
    struct cl_kafka_waker *w = arg;
    (void)pthread_mutex_lock(&w->lock);
    while (!w->ending) {
        if (!w->poked) {
            (void)pthread_cond_wait(&w->changed, &w->lock);
            continue;
        }
        w->poked = false;
        (void)pthread_mutex_unlock(&w->lock);
        wake_leaders(w);
        (void)pthread_mutex_lock(&w->lock);
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

enum cl_code cl_kafka_waker_start(struct cl_kafka_waker *w, rd_kafka_t *rk,
                                  rd_kafka_topic_partition_list_t *leaders, struct cl_error *err)
{
    *w = (struct cl_kafka_waker){.rk = rk, .leaders = leaders};
    if (leaders->cnt == 0) {
        rd_kafka_topic_partition_list_destroy(leaders);
        return CL_OK;
    }
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_cond_init(&w->changed, NULL);
    w->running = true;
    int failed = pthread_create(&w->thread, NULL, run, w);
    if (failed == 0) return CL_OK;
    w->running = false;
    (void)pthread_mutex_destroy(&w->lock);
    (void)pthread_cond_destroy(&w->changed);
    rd_kafka_topic_partition_list_destroy(leaders);
    return cl_fail_errno(err, failed, "cannot start a thread");
}

void cl_kafka_waker_poke(struct cl_kafka_waker *w)
{
    if (!w->running) return;
    (void)pthread_mutex_lock(&w->lock);
    w->poked = true;
    (void)pthread_cond_signal(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
}

void cl_kafka_waker_stop(struct cl_kafka_waker *w)
{
    if (!w->running) return;
    (void)pthread_mutex_lock(&w->lock);
    w->ending = true;
    (void)pthread_cond_signal(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
    (void)pthread_join(w->thread, NULL);
    w->running = false;
    (void)pthread_mutex_destroy(&w->lock);
    (void)pthread_cond_destroy(&w->changed);
    rd_kafka_topic_partition_list_destroy(w->leaders);
}
