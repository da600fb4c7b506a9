#include "record/schema.h"

#include <stdio.h>
#include <string.h>

size_t cl_type_width(enum cl_type type)
{
    switch (type) {
    case CL_INT:
    case CL_FLOAT:
    case CL_DATE: return 4;
    case CL_LONG:
    case CL_DOUBLE:
    case CL_TIMESTAMP: return 8;
    case CL_DECIMAL: return 16;
    case CL_BOOLEAN:
    case CL_STRING:
    case CL_BINARY: return 0;
    }
    return 0;
}

const char *cl_type_text(const struct cl_field *field, char *buf, size_t size)
{
    static const char *const names[] = {
        [CL_BOOLEAN] = "boolean", [CL_INT] = "int",
        [CL_LONG] = "long",       [CL_FLOAT] = "float",
        [CL_DOUBLE] = "double",   [CL_DECIMAL] = "decimal",
        [CL_DATE] = "date",       [CL_TIMESTAMP] = "timestamp",
        [CL_STRING] = "string",   [CL_BINARY] = "binary",
    };
    if (field->type == CL_DECIMAL)
        (void)snprintf(buf, size, "decimal(%d, %d)", field->precision, field->scale);
    else
        (void)snprintf(buf, size, "%s", names[field->type]);
    return buf;
}

int cl_schema_find(const struct cl_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->n; i++)
        if (strcmp(schema->fields[i].name, name) == 0) return (int)i;
    return -1;
}
