/* plan.h - the columns of a feed, compiled into a tree that mirrors the messages.
 *
 * The root stands for the message object.  A node is an object whose members are wanted, an array
 * whose elements are, or a leaf that one or more columns read; never two of these
 * (cl_decode_plan_build refuses such columns).  Built once, then only the guesses and `seen`
 * change. */
#ifndef CITYLAKE_DECODE_PLAN_H
#define CITYLAKE_DECODE_PLAN_H

#include "spec/spec.h"

#include <stdint.h>

struct cl_run;
struct cl_reader;

/* Reads the value at p (inside the message, no white space before it) into its column's slot; null
 * leaves the column unset. Returns the byte after the value, or NULL with run->failure filled.  The
 * functions are those of column.c. */
typedef const uint8_t *cl_read_fn(struct cl_run *run, const struct cl_reader *reader,
                                  const uint8_t *p);

/* How one column reads its value. */
struct cl_reader {
    cl_read_fn *read;
    int column; /* index into feed->columns and the batch */
    const struct cl_feed_column *spec;
    size_t max_bytes; /* of a string; SIZE_MAX: no limit of its own */
    int epoch_scale;  /* times from numbers: decimal digits from the wire's unit to microseconds */
    struct cl_allowed { /* `values:`, sorted by length, then bytes */
        const char *text;
        size_t len;
    } * allowed;
};

enum cl_node_kind { CL_NODE_LEAF, CL_NODE_OBJECT, CL_NODE_ARRAY };

/* The bytes `"name":` in 64-bit words, the last one padded with zeros: what a member of a compact
 * message begins with. */
struct cl_name_pattern {
    size_t len;     /* 0: the name needs escapes or is not ASCII, only the slow way finds it */
    size_t n_words; /* whole words before the last one */
    uint64_t *words;
    uint64_t last, last_mask;
};

struct cl_node {
    enum cl_node_kind kind;
    int column;    /* one that reads this value or something inside, for messages */
    uint64_t seen; /* number of the message in which it was last met */

    /* As a member of an object, or an element of an array. */
    const char *name;
    size_t name_len;
    struct cl_name_pattern pattern;
    int index;
    struct cl_node *next_guess; /* the wanted member that followed this one last time, or NULL */

    /* CL_NODE_LEAF */
    struct cl_reader *readers;
    size_t n_readers;

    /* CL_NODE_OBJECT and CL_NODE_ARRAY */
    struct cl_node **children; /* elements: by rising index */
    size_t n_children;
    struct cl_node *first_guess; /* objects: the wanted member that came first last time */
    struct cl_node **table;      /* objects: hash table of the members, open addressing */
    size_t table_mask;
};

struct cl_decode_plan {
    struct cl_node *root;
    size_t max_name_len; /* of all members */
};

/* Everything is allocated from the arena.  CL_EINVAL: two columns contradict each other, or a path
 * is too deep. */
CL_MUSTCHECK enum cl_code cl_decode_plan_build(const struct cl_feed *feed, struct cl_arena *arena,
                                               struct cl_decode_plan *ret, struct cl_error *err);

/* The member of that (unescaped) name, or NULL. */
struct cl_node *cl_node_find(const struct cl_node *object, const uint8_t *name, size_t len);

/* Is `text` one of the reader's values? */
bool cl_reader_allows(const struct cl_reader *r, const uint8_t *text, size_t len);

#endif
