#!/usr/bin/env python3
"""Makes restic.json: what restic itself keeps of many series of snapshots under many policies.

Usage: RESTIC=/path/to/restic python3 make.py      (restic 0.16 or newer; takes about ten minutes)

For each series a restic repository is made with one snapshot per time, and `restic forget --dry-run --json` runs with each
policy under TZ=<zone>. restic keeps a snapshot's time with the offset it was made in, and on reading takes the local zone
when that has the same offset then. So each snapshot is made under the fixed offset that its moment has in the zone: that
is the only way to name both halves of an hour that comes twice.

In the result `keep` maps the index of a time in `times` to the reasons: l h d w m y for last, hourly, daily, weekly, monthly
and yearly, in capitals for restic's "oldest hourly snapshot" and so on. What is not named restic removes. `keep` is null where
restic refuses to work.
"""
import json, os, random, subprocess, sys, tempfile
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

RESTIC = os.environ.get('RESTIC', 'restic')
RULES = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly']


def utc(text):
    return datetime.strptime(text, '%Y-%m-%d %H:%M:%S').replace(tzinfo=timezone.utc)


def irregular(rng, start, count, longest_hours):
    times, at = [], utc(start)
    for _ in range(count):
        times.append(at)
        at += timedelta(seconds=rng.randrange(1, int(rng.choice([1, 4, 30, longest_hours]) * 3600)))
    return times


def every(start, count, **step):
    return [utc(start) + i * timedelta(**step) for i in range(count)]


def series():
    rng = random.Random(20261123)
    yield 'years, irregular', 'Europe/Berlin', irregular(rng, '2017-06-01 04:11:09', 60, 1900)
    yield 'half hours over both clock changes', 'Europe/Berlin', (
        every('2020-10-24 22:15:00', 14, minutes=30) + every('2021-03-27 22:15:00', 14, minutes=30) + every('2021-03-31 21:59:59', 4, seconds=1)
    )
    yield 'half hours over both clock changes', 'America/New_York', (
        every('2021-03-14 03:40:00', 16, minutes=30) + every('2021-11-07 03:40:00', 16, minutes=30) + every('2021-12-31 22:00:00', 12, hours=1)
    )
    yield 'week years and leap days', 'UTC', (
        [utc(f'{year}-12-{day} 23:59:59') for year in (2015, 2019, 2020, 2021, 2022, 2023) for day in (26, 28, 31)]
        + [utc(f'{year}-01-0{day} 00:00:00') for year in (2016, 2020, 2021, 2022, 2023, 2024) for day in (1, 3, 4)]
        + [utc(text) for text in ('2016-02-28 12:00:00', '2016-02-29 12:00:00', '2016-03-01 00:00:00', '2020-02-29 23:59:59', '2020-03-01 00:00:00')]
        + [utc('2024-02-29 00:00:00'), utc('2024-02-29 23:00:00')]
    )
    yield 'the day that never was', 'Pacific/Apia', every('2011-12-28 08:30:00', 30, hours=3) + irregular(rng, '2012-01-02 00:00:00', 12, 200)
    yield 'an odd offset, duplicates', 'Asia/Kathmandu', (
        every('2022-12-31 17:15:00', 6, minutes=30) + every('2022-12-31 18:15:00', 2, seconds=0) + irregular(rng, '2023-01-05 00:00:00', 20, 700)
        + every('2024-05-05 05:05:05', 3, seconds=0)
    )
    yield 'duplicates only', 'America/New_York', every('2023-07-04 12:00:00', 3, seconds=0)
    yield 'single', 'Europe/Berlin', [utc('2024-02-29 23:30:00')]
    yield 'three years of new year', 'Europe/Berlin', [utc(f'{year}-12-31 23:30:00') for year in (2019, 2020, 2021, 2022)]


FIXED = [
    {},
    *({rule: count} for rule in RULES for count in (1, 3, -1)),
    {'last': 1000},
    {'hourly': 1000},
    {'daily': 1000},
    {'daily': 7, 'weekly': 4, 'monthly': 12, 'yearly': 3},
    {'last': 3, 'hourly': 24, 'daily': 7, 'weekly': 5, 'monthly': 12, 'yearly': 75},
    {'last': -1, 'yearly': 2},
    {'yearly': 10},
    {'monthly': 100, 'daily': 2},
]


def policies(name):
    rng = random.Random(name)
    count = 14 if name not in ('single', 'duplicates only', 'three years of new year') else 0
    fixed = FIXED if count else FIXED[::3]
    for policy in fixed:
        yield policy
    for _ in range(count):
        chosen = rng.sample(RULES, rng.randrange(2, 7))
        yield {rule: rng.choice([1, 2, 4, 9, 20, -1]) for rule in RULES if rule in chosen}


def restic(arguments, zone, folder, check=True):
    environment = {**os.environ, 'TZ': zone, 'RESTIC_PASSWORD': 'golden', 'RESTIC_REPOSITORY': os.path.join(folder, 'repository')}
    return subprocess.run([RESTIC, *arguments, '--no-cache'], cwd=folder, env=environment, check=check, capture_output=True, text=True)


def fixed_offset(moment, zone):
    minutes = int(ZoneInfo(zone).utcoffset(moment.astimezone(ZoneInfo(zone))).total_seconds()) // 60
    if minutes % 60 != 0:
        return zone
    return f'Etc/GMT{-minutes // 60:+d}' if minutes else 'UTC'


def code(reason):
    oldest = reason.startswith('oldest ')
    letter = reason.removeprefix('oldest ').removesuffix(' snapshot')[0]
    return letter.upper() if oldest else letter


def make(name, zone, moments):
    moments = sorted(moments)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'file'), 'w') as file:
            file.write('tiny\n')
        restic(['init', '-q'], zone, folder)
        index_of = {}
        for index, moment in enumerate(moments):
            offset = fixed_offset(moment, zone)
            local = moment.astimezone(ZoneInfo(offset)).strftime('%Y-%m-%d %H:%M:%S')
            done = restic(['backup', '--json', '--host', 'golden', '--time', local, 'file'], offset, folder)
            index_of[json.loads(done.stdout.splitlines()[-1])['snapshot_id']] = index
        seen = {row['id']: datetime.fromisoformat(row['time']) for row in json.loads(restic(['snapshots', '--json'], zone, folder).stdout)}
        assert {index_of[id]: time for id, time in seen.items()} == dict(enumerate(moments)), 'restic has other times'
        cases = []
        for policy in policies(name):
            options = [part for rule, count in policy.items() for part in (f'--keep-{rule}', 'unlimited' if count == -1 else str(count))]
            done = restic(['forget', '--dry-run', '--json', *options], zone, folder, check=False)
            if done.returncode != 0:
                cases.append({'policy': policy, 'keep': None})
                continue
            (group,) = json.loads(done.stdout)
            keep = {index_of[row['snapshot']['id']]: ''.join(map(code, row['matches'])) for row in group['reasons']}
            removed = {index_of[row['id']] for row in group['remove'] or []}
            assert set(keep) | removed == set(range(len(moments))) and not set(keep) & removed
            assert set(keep) == {index_of[row['id']] for row in group['keep']}
            cases.append({'policy': policy, 'keep': {str(index): keep[index] for index in sorted(keep)}})
        print(f'{name}, {zone}: {len(moments)} snapshots, {len(cases)} policies', file=sys.stderr, flush=True)
        return {'name': name, 'zone': zone, 'times': [moment.strftime('%Y-%m-%dT%H:%M:%SZ') for moment in moments], 'cases': cases}


def main():
    version = subprocess.run([RESTIC, 'version'], check=True, capture_output=True, text=True).stdout.split()[1]
    made = [make(*one) for one in series()]
    lines = []
    for one in made:
        head = json.dumps({key: one[key] for key in ('name', 'zone', 'times')})[:-1]
        lines.append(head + ', "cases": [\n' + ',\n'.join('  ' + json.dumps(case) for case in one['cases']) + '\n]}')
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'restic.json'), 'w') as file:
        file.write('{"restic": ' + json.dumps(version) + ', "series": [\n' + ',\n'.join(lines) + '\n]}\n')


main()
