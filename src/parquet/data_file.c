#include "parquet/data_file.h"

#include <stdlib.h>

void cl_data_file_fini(struct cl_data_file *f)
{
    free(f->path);
    free(f->columns);
    free(f->split_offsets);
    f->path = NULL;
    f->columns = NULL;
    f->split_offsets = NULL;
    f->n_columns = f->n_splits = 0;
}
