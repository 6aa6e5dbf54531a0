"""A sweep on a cluster of worker processes gives the bytes of one process, also when a worker dies.

Run by `cargo xtask test --cluster`, which says where the program is (AGENT_CHAOS).
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "crates/agent-chaos-cli/examples"
sys.path.insert(0, str(EXAMPLES))

import dask_sweep  # noqa: E402
from distributed import Client, LocalCluster  # noqa: E402

PROGRAM = os.environ["AGENT_CHAOS"]
SHARDS = 12
SWEEP = ["exp-002", "--set", "run.duration_seconds=300"]
SWEEP += ["--vary", "agents.count=300..500:50", "--vary", "workers.count=3,4", "--seeds", "1..6"]


class OnACluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.cluster = LocalCluster(
            n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None
        )
        cls.client = Client(cls.cluster)
        one = pathlib.Path(cls.folder.name, "one.ndjson")
        words = [PROGRAM, "sweep", *SWEEP, "--out", str(one)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        cls.expected = one.read_bytes()

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.cluster.close()
        cls.folder.cleanup()

    def sweep(self, name, **more):
        out = pathlib.Path(self.folder.name, name)
        dask_sweep.sweep(self.client, PROGRAM, SWEEP, SHARDS, out, **more)
        self.assertEqual([entry for entry in out.parent.iterdir() if ".parts" in entry.name], [])
        return out.read_bytes()

    def pids(self):
        return set(self.client.run(os.getpid).values())

    def test_the_merged_result_is_that_of_one_process(self):
        self.assertEqual(len(self.pids()), 3)
        self.assertEqual(self.sweep("whole.ndjson"), self.expected)
        self.assertEqual(self.expected.count(b"\n"), 60)

    def test_a_worker_that_is_killed_half_way_changes_no_byte(self):
        before = self.pids()
        killed = []

        def kill_one(done):
            if done < SHARDS // 2 or killed:
                return
            # One that is at work, so that its shard is lost with it.
            busy = self.client.processing()
            by_address = self.client.run(os.getpid)
            victim = next(by_address[name] for name, tasks in busy.items() if tasks)
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

        self.assertEqual(self.sweep("killed.ndjson", after_part=kill_one), self.expected)
        self.assertEqual(len(killed), 1)
        self.assertIn(killed[0], before)
        deadline = time.monotonic() + 60
        while killed[0] in self.pids():
            self.assertLess(time.monotonic(), deadline)

    def test_parts_that_are_there_are_not_run_again(self):
        class Enough(Exception):
            pass

        def stop(done):
            if done >= 5:
                raise Enough

        out = pathlib.Path(self.folder.name, "resumed.ndjson")
        with self.assertRaises(Enough):
            dask_sweep.sweep(self.client, PROGRAM, SWEEP, SHARDS, out, after_part=stop)
        self.assertFalse(out.exists())
        counts = []
        self.assertEqual(self.sweep("resumed.ndjson", after_part=counts.append), self.expected)
        self.assertEqual(counts, list(range(6, SHARDS + 1)))

    def test_what_a_shard_is_refused_for_is_said(self):
        out = pathlib.Path(self.folder.name, "refused.ndjson")
        wrong = [*SWEEP, "--vary", "agents.cuont=1..2"]
        with self.assertRaisesRegex(RuntimeError, "/agents/cuont"):
            dask_sweep.sweep(self.client, PROGRAM, wrong, 2, out)
        self.assertFalse(out.exists())


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(OnACluster)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"# pass {result.testsRun - failed}\n# fail {failed}", flush=True)
    sys.exit(not result.wasSuccessful())
