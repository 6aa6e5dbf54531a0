"""One sweep on many machines: Dask gives each worker its shards, and the parts become one file.

    pip install --requirement requirements.txt
    python dask_sweep.py --out rows.parquet --shards 64 -- \
        exp-002 --vary agents.count=50..800:10 --vary workers.count=1..8 --seeds 1..20

Without --scheduler it starts worker processes on this machine; with it, the workers of that
cluster do the work. Each needs the program `agent-chaos` of the same version (--program says where).

A shard is a pure function of its number, so that one whose worker died is run again elsewhere. Parts
are kept beside the result until it is whole: the same command goes on with those that are
missing. The result is byte for byte that of one process.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import cloudpickle
from distributed import Client, LocalCluster, as_completed

# Workers need not have this file.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def run_shard(program, arguments, number, count):
    """The rows of the shard as bytes. Runs on a worker; one core for each task is Dask's doing."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "part.ndjson")
        words = ["--shard", f"{number}/{count}", "--jobs", "1", "--out", str(out)]
        done = subprocess.run([program, "sweep", *arguments, *words], capture_output=True)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()
            raise RuntimeError(f"shard {number}/{count} ended with {done.returncode}: {said}")
        return out.read_bytes()


def sweep(client, program, arguments, shards, out, after_part=lambda done: None):
    """Runs all shards on the client's workers and merges them into the file `out`."""
    parts = pathlib.Path(f"{out}.parts")
    parts.mkdir(exist_ok=True)
    paths = [parts / f"{number}-of-{shards}.ndjson" for number in range(1, shards + 1)]
    missing = {
        client.submit(run_shard, program, arguments, number, shards, pure=False): path
        for number, path in enumerate(paths, 1)
        if not path.exists()
    }
    for future in as_completed(list(missing)):
        path = missing.pop(future)
        # A part is there as a whole or not at all.
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(future.result())
        unfinished.rename(path)
        done = sum(part.exists() for part in paths)
        print(f"{done} of {shards} shards", file=sys.stderr)
        after_part(done)
    subprocess.run([program, "merge", *map(str, paths), "--out", str(out)], check=True)
    for path in paths:
        path.unlink()
    parts.rmdir()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", required=True, help="the result: .ndjson, .csv or .parquet")
    parser.add_argument("--shards", type=int, default=32, help="how many parts (32)")
    parser.add_argument("--program", default="agent-chaos", help="the program on the workers")
    parser.add_argument("--scheduler", help="address of a Dask scheduler; else this machine")
    parser.add_argument("--workers", type=int, help="processes on this machine (one for each core)")
    parser.add_argument("sweep", nargs="+", help="after --: what `agent-chaos sweep` is given")
    given = parser.parse_args()
    if given.shards < 1:
        parser.error("--shards: at least 1")
    cluster = given.scheduler or LocalCluster(
        n_workers=given.workers, threads_per_worker=1, dashboard_address=None
    )
    with Client(cluster) as client:
        try:
            sweep(client, given.program, given.sweep, given.shards, given.out)
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
