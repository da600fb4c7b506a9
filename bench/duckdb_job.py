"""duckdb_job.py - the work of `citylake stream --source ndjson:DIR`, done by DuckDB, in one of two ways.

    duckdb_job.py plain DIR OUT        prints {"rows": N}
    duckdb_job.py rules DIR OUT

plain: NDJSON into typed columns and on into one Parquet file a feed, zstd: the fastest way that we know.  The reader gets the
columns' types, so it does not look for them, and need not keep the order of the lines.  It checks nothing: one broken line
ends it, and where a row came from is not kept.

rules: the same work as citylake's, as far as SQL goes: each line checked as JSON, values converted with TRY_CAST, the rules of
the built-in city.yaml (required columns, format of ids, ranges), the line number kept with each row, wall-clock time of
ingestion.  A line that breaks a rule is left out (citylake also keeps it, in dead_letters).  Still no table format.
"""

import json
import os
import sys

import duckdb

# topic -> columns: (name in JSON, type in JSON text, column, SQL type, rule or None)
ID = ('id', 'VARCHAR', 'id', 'VARCHAR', 'length(id) = 36 AND TRY_CAST(id AS UUID) IS NOT NULL')  # a regular expression takes longer
VEHICLE = ('vehicle_id', 'VARCHAR', 'vehicle_id', 'VARCHAR', 'vehicle_id IS NOT NULL')
TIME = ('timestamp', 'VARCHAR', 'timestamp', 'TIMESTAMP', '"timestamp" IS NOT NULL')
LATITUDE = ('location', 'DOUBLE[]', 'latitude', 'location[1]', 'coalesce(latitude BETWEEN -90 AND 90, true)')
LONGITUDE = ('location', 'DOUBLE[]', 'longitude', 'location[2]', 'coalesce(longitude BETWEEN -180 AND 180, true)')


def text(name, column=None):
    return (name, 'VARCHAR', column or name, 'VARCHAR', None)


def number(name, column, low, high, kind='DOUBLE'):
    return (name, kind, column, kind, f'coalesce({column} BETWEEN {low} AND {high}, true)')


SPEED = number('speed', 'speed', 0, 400)
FEEDS = {
    'vehicle_data': [ID, VEHICLE, TIME, LATITUDE, LONGITUDE, SPEED, text('direction'), text('make'), text('model'),
                     number('year', 'year', 1800, 3000, 'INTEGER'), text('fuelType', 'fuel_type')],
    'gps_data': [ID, VEHICLE, TIME, SPEED, text('direction'), text('vehicleType', 'vehicle_type')],
    'traffic_data': [ID, VEHICLE, text('camera_id'), LATITUDE, LONGITUDE, TIME, text('snapshot')],
    'weather_data': [ID, VEHICLE, LATITUDE, LONGITUDE, TIME, number('temperature', 'temperature', -100, 100),
                     text('weatherCondition', 'weather_condition'), number('precipitation', 'precipitation', 0, 2000),
                     number('windSpeed', 'wind_speed', 0, 500), number('humidity', 'humidity', 0, 100),
                     number('airQualityIndex', 'air_quality_index', 0, 10000)],
    'emergency_data': [ID, VEHICLE, text('incidentId', 'incident_id'), text('type'), TIME, LATITUDE, LONGITUDE,
                       text('status'), text('description')],
}


def plain(file, columns):
    types = ', '.join(f"'{name}': '{'TIMESTAMP' if sql == 'TIMESTAMP' else kind}'"
                      for name, (kind, sql) in {c[0]: (c[1], c[3]) for c in columns}.items())
    select = ', '.join(f'{sql} AS "{column}"' if '[' in sql else f'"{name}" AS "{column}"' for name, _, column, sql, _ in columns)
    return f"SELECT {select} FROM read_json('{file}', format = 'newline_delimited', columns = {{{types}}})"


def rules(file, columns):
    shape = json.dumps({name: ['DOUBLE'] if kind.endswith('[]') else kind for name, kind, *_ in columns})
    select = ', '.join(f'j.{sql} AS "{column}"' if '[' in sql else f'TRY_CAST(j."{name}" AS {sql}) AS "{column}"'
                       for name, _, column, sql, _ in columns)
    where = ' AND '.join(rule for *_, rule in columns if rule)
    # The line number is taken behind the conversion on purpose: a window is a barrier, without which DuckDB pushes the rules
    # down and converts each line once for every rule, which takes four times as long.
    return f"""
        WITH lines AS (SELECT line FROM read_csv('{file}', columns = {{'line': 'VARCHAR'}}, header = false, auto_detect = false,
                                                 delim = '\\x01', quote = '', escape = '', max_line_size = 67108864)),
             parsed AS (SELECT CASE WHEN json_valid(line) THEN json_transform(line, '{shape}') END AS j FROM lines),
             typed AS (SELECT {select}, 0 AS _partition, row_number() OVER () - 1 AS _offset, now()::TIMESTAMP AS _ingested_at
                       FROM parsed)
        SELECT * FROM typed WHERE {where}"""


def main(way, folder, out):
    os.makedirs(out, exist_ok=True)
    db = duckdb.connect(config={'threads': os.cpu_count()})
    db.execute('SET preserve_insertion_order = false')
    rows = 0
    for topic, columns in FEEDS.items():
        query = {'plain': plain, 'rules': rules}[way](f'{folder}/{topic}.ndjson', columns)
        rows += db.execute(f"COPY ({query}) TO '{out}/{topic}.parquet' (FORMAT parquet, COMPRESSION zstd)").fetchone()[0]
    print(json.dumps({'rows': rows}))


if __name__ == '__main__':
    main(*sys.argv[1:])
