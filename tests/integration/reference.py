"""reference.py - the five feeds of the reference pipeline as an outside producer emits them, and what their rows must be.

The producer side writes with Python's json and datetime.isoformat, as the reference does; the reader side computes from the same
message, with Python's json alone, the row that the table must have.
"""

import json
import random
import uuid
from datetime import datetime, timedelta

FEEDS = {'vehicle': 'vehicle_data', 'gps': 'gps_data', 'camera': 'traffic_data', 'weather': 'weather_data',
         'emergency': 'emergency_data'}
VARIABLES = {'vehicle': 'VEHICLE_TOPIC', 'gps': 'GPS_TOPIC', 'camera': 'TRAFFIC_TOPIC', 'weather': 'WEATHER_TOPIC',
             'emergency': 'EMERGENCY_TOPIC'}
RENAMED = {'fuelType': 'fuel_type', 'vehicleType': 'vehicle_type', 'weatherCondition': 'weather_condition',
           'windSpeed': 'wind_speed', 'airQualityIndex': 'air_quality_index', 'incidentId': 'incident_id'}


def topics(suffix):
    """feed -> topic of this test's own, and the environment that tells citylake so."""
    names = {feed: f'{topic}_{suffix}' for feed, topic in FEEDS.items()}
    return names, {VARIABLES[feed]: topic for feed, topic in names.items()}


def events(vehicles=10, steps=100, seed=42):
    """(feed, message as a dict), a step of each vehicle after the other."""
    rnd = random.Random(seed)
    clock = {v: datetime(2026, 1, 5, 8) for v in range(vehicles)}

    def new_id():
        return str(uuid.UUID(int=rnd.getrandbits(128), version=4))

    for step in range(steps):
        for v in range(vehicles):
            clock[v] += timedelta(seconds=rnd.randint(30, 60), microseconds=rnd.choice([0, 0, rnd.randrange(1000000)]))
            common = {'vehicle_id': f'Vehicle-{v:05d}', 'timestamp': clock[v].isoformat()}
            at = [51.5 + step % 200 / 97 + rnd.uniform(-5e-4, 5e-4), -0.12 - step % 200 / 53 + rnd.uniform(-5e-4, 5e-4)]
            yield 'vehicle', {'id': new_id(), **common, 'location': at, 'speed': rnd.uniform(10, 40), 'direction': 'North-East',
                              'make': 'Mini Cooper', 'model': 'Countryman SE ALL4', 'year': 2024, 'fuelType': 'Electric'}
            yield 'gps', {'id': new_id(), **common, 'speed': rnd.uniform(0, 40), 'direction': 'North-East',
                          'vehicleType': 'private'}
            yield 'camera', {'id': new_id(), 'vehicle_id': common['vehicle_id'], 'camera_id': 'Nikon-Camera', 'location': at,
                             'timestamp': common['timestamp'], 'snapshot': 'Base64EncodedString'}
            yield 'weather', {'id': new_id(), 'vehicle_id': common['vehicle_id'], 'location': at,
                              'timestamp': common['timestamp'], 'temperature': rnd.uniform(-5, 26),
                              'weatherCondition': rnd.choice(['Sunny', 'Cloudy', 'Rain', 'Snow']),
                              'precipitation': rnd.uniform(0, 25), 'windSpeed': rnd.uniform(0, 100),
                              'humidity': rnd.randint(0, 100), 'airQualityIndex': rnd.uniform(0, 500)}
            yield 'emergency', {'id': new_id(), 'vehicle_id': common['vehicle_id'], 'incidentId': new_id(),
                                'type': rnd.choice(['Accident', 'Fire', 'Medical', 'Police', 'None']),
                                'timestamp': common['timestamp'], 'location': at,
                                'status': rnd.choice(['Active', 'Resolved']), 'description': 'Description of the incident'}


ODD_TEXT = ['', ' ', 'plain', 'quote " backslash \\ slash /', 'tab\t newline\n return\r', '\u0001\u001f', 'Grüße, Straße',
            '東京都', '\U0001f697\U0001f6a8 astral', '\ufffd\ufeff', 'nul \u0000 inside', '\u2028\u2029', 'e\u0301 combining']
ODD_NUMBER = [0.0, -0.0, 0.1, 1 / 3, 1e-7, 2.5e-308, 5e-324, 399.99999999999994, 123456789 / 1e7, 1e2, 4e-1]


def odd_events(n, seed=7):
    """Valid vehicle events that a careless decoder gets wrong, as JSON text written in several styles."""
    rnd = random.Random(seed)
    for i in range(n):
        text = rnd.choice(ODD_TEXT) + rnd.choice(ODD_TEXT)
        event = {'id': str(uuid.UUID(int=rnd.getrandbits(128), version=4)), 'vehicle_id': f'V{i}',
                 'timestamp': rnd.choice(['2026-01-05T08:00:00', '2026-01-05 08:00:00.5', '2026-01-05T08:00:00.123456Z',
                                          '2026-01-05T10:00:00.000001+02:00', '2026-01-05']),
                 'location': [rnd.uniform(-90, 90), rnd.choice([-180, 180, 0, rnd.uniform(-180, 180)])],
                 'speed': rnd.choice(ODD_NUMBER + [rnd.uniform(0, 400), None]), 'direction': text, 'make': rnd.choice(ODD_TEXT),
                 'model': None, 'year': rnd.randint(1900, 2026), 'fuelType': rnd.choice(['Electric', 'Dié\u0301sel']),
                 'unknown': {'nested': [1, {'a': text}, None, True], 'more': 1e300}}
        if rnd.random() < 0.3:
            del event['unknown'], event['model']
        items = list(event.items())
        rnd.shuffle(items)
        yield json.dumps(dict(items), ensure_ascii=rnd.random() < 0.5,
                         separators=rnd.choice([(', ', ': '), (',', ':'), (' ,\t', '\n:  ')]))


def parse_time(text):
    """What a zone-less UTC timestamp column holds for this text."""
    at = datetime.fromisoformat(text)
    return (at - at.utcoffset()).replace(tzinfo=None) if at.tzinfo else at


def row_of(message):
    """The declared columns of the row that this message (bytes or text) must become."""
    event = json.loads(message)
    event.pop('unknown', None)
    row = {RENAMED.get(name, name): value for name, value in event.items() if name != 'location'}
    if 'location' in event:
        row['latitude'], row['longitude'] = map(float, event['location'])
    row['timestamp'] = parse_time(row['timestamp'])
    return row
