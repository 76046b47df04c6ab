"""A cluster of Ray on 127.0.0.1: each line on standard input adds a machine with so many cores.

Answers with a line of JSON: the cluster's address, and the processes of the machine by name. Ends with its input.
"""

from __future__ import annotations

import json
import os
import sys

os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # else Ray looks for the address of the network card

from ray.cluster_utils import Cluster


def main() -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    cluster = Cluster()
    for line in sys.stdin:
        node = cluster.add_node(
            num_cpus=int(line), node_ip_address="127.0.0.1", include_dashboard=False, object_store_memory=80_000_000
        )
        processes = {name: [each.process.pid for each in found] for name, found in node.all_processes.items()}
        print(json.dumps([cluster.address, processes]), file=out, flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
