//! The rows of the table: what is measured, in which unit, what is better, and what we aim for.

/// One program, which each side runs in an OS process of its own, and the rows that it prints.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// The program that the sides run: itself, or another one with other peers.
    pub(crate) body: &'static str,
    pub(crate) kind: Kind,
    /// How much of it: for a smoke run, and for figures worth keeping. The unit is the program's.
    pub(crate) size_quick: u64,
    pub(crate) size_full: u64,
    pub(crate) rows: &'static [Row],
}

/// What a program needs beside itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Nothing.
    Local,
    /// A peer node in a second OS process.
    Remote,
    /// BEAM against BEAM, and our driver against a BEAM peer.
    ToBeam,
    /// BEAM against BEAM, and BEAM's driver against a peer of ours.
    FromBeam,
    /// Nodes that it starts by itself.
    Cluster,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) better: Better,
    pub(crate) target: Target,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Better {
    Higher,
    Lower,
}

/// What we aim for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// This many times BEAM's figure of the same run, or better.
    TimesBeam(f64),
    /// This many times the bare primitive's figure of the same run, or better.
    TimesLimit(f64),
    /// This figure, or better, in the row's unit.
    Figure(f64),
}

impl Program {
    pub(crate) fn size(&self, quick: bool) -> u64 {
        if quick { self.size_quick } else { self.size_full }
    }

    /// Whether a name given by hand means this program, or one of its rows.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.rows.iter().any(|row| row.name == name)
    }
}

const fn row(name: &'static str, unit: &'static str, better: Better, target: Target) -> Row {
    Row { name, unit, better, target }
}

const fn local(name: &'static str, size_quick: u64, size_full: u64, rows: &'static [Row]) -> Program {
    Program { name, body: name, kind: Kind::Local, size_quick, size_full, rows }
}

const fn remote(name: &'static str, size_quick: u64, size_full: u64, rows: &'static [Row]) -> Program {
    Program { name, body: name, kind: Kind::Remote, size_quick, size_full, rows }
}

/// A remote program between us and BEAM, measured against the same between BEAM and BEAM.
const fn mixed(
    name: &'static str,
    kind: Kind,
    body: &'static str,
    sizes: [u64; 2],
    rows: &'static [Row],
) -> Program {
    Program { name, body, kind, size_quick: sizes[0], size_full: sizes[1], rows }
}

/// A mesh is one size a program: its rows carry the number of nodes in their names. A large one is left out of a smoke run.
const fn mesh(name: &'static str, nodes: u64, rows: &'static [Row]) -> Program {
    let size_quick = if nodes > MESH_QUICK_MAX { 0 } else { nodes };
    Program { name, body: name, kind: Kind::Cluster, size_quick, size_full: nodes, rows }
}

/// Nodes of the largest mesh in a smoke run.
const MESH_QUICK_MAX: u64 = 10;

use Better::{Higher, Lower};
use Target::{Figure, TimesBeam, TimesLimit};

pub(crate) const PROGRAMS: &[Program] = &[
    local("spawn_exit", 100_000, 1_000_000, &[row("spawn_exit", "proc/s", Higher, TimesBeam(2.0))]),
    local("idle_memory", 50_000, 1_000_000, &[row("idle_memory", "bytes", Lower, Figure(640.0))]),
    local("send_1_to_1", 300_000, 5_000_000, &[row("send_1_to_1", "msg/s", Higher, TimesBeam(2.8))]),
    local("send_4_to_1", 300_000, 4_000_000, &[row("send_4_to_1", "msg/s", Higher, TimesBeam(2.0))]),
    local("ring_1", 300_000, 4_000_000, &[row("ring_1", "hops/s", Higher, TimesBeam(1.4))]),
    local("ring_100", 500_000, 10_000_000, &[row("ring_100", "hops/s", Higher, TimesBeam(3.0))]),
    local("call", 50_000, 1_000_000, &[row("call_p50", "us", Lower, TimesBeam(0.35))]),
    local("clients_100", 50_000, 1_000_000, &[row("clients_100", "calls/s", Higher, TimesBeam(5.0))]),
    local("reply_behind_unread", 100_000, 100_000, &[row("reply_behind_unread", "x", Lower, Figure(2.0))]),
    remote("fire_1_pair", 100_000, 2_000_000, &[row("fire_1_pair", "msg/s", Higher, TimesBeam(6.0))]),
    remote("fire_100_pairs", 100_000, 2_000_000, &[row("fire_100_pairs", "msg/s", Higher, TimesBeam(6.0))]),
    remote(
        "round_trip",
        2_000,
        20_000,
        &[
            row("round_trip_p50", "us", Lower, TimesLimit(1.05)),
            row("round_trip_p99", "us", Lower, TimesLimit(1.05)),
        ],
    ),
    remote("pipelined", 50_000, 500_000, &[row("pipelined", "req/s", Higher, TimesBeam(8.0))]),
    remote(
        "remote_clients_100",
        20_000,
        200_000,
        &[row("remote_clients_100", "calls/s", Higher, TimesBeam(8.0))],
    ),
    remote("rpc_call", 1_000, 20_000, &[row("rpc_call_p50", "us", Lower, TimesLimit(1.1))]),
    remote("binaries_1m", 300, 4_000, &[row("binaries_1m", "GB/s", Higher, TimesLimit(0.9))]),
    remote("binaries_64m", 640, 6_400, &[row("binaries_64m", "GB/s", Higher, TimesLimit(0.8))]),
    remote(
        "call_during_bulk",
        1_000,
        5_000,
        &[
            row("bulk_call_p50", "ms", Lower, Figure(0.05)),
            row("bulk_call_p99", "ms", Lower, Figure(0.5)),
            row("bulk_call_max", "ms", Lower, Figure(5.0)),
            row("bulk_rate", "GB/s", Higher, Figure(1.5)),
        ],
    ),
    remote("cpu_per_message", 200_000, 2_000_000, &[row("cpu_per_message", "us", Lower, TimesBeam(0.2))]),
    mixed(
        "fire_to_beam",
        Kind::ToBeam,
        "fire_1_pair",
        [100_000, 2_000_000],
        &[row("fire_to_beam", "msg/s", Higher, TimesBeam(1.1))],
    ),
    mixed(
        "fire_from_beam",
        Kind::FromBeam,
        "fire_1_pair",
        [100_000, 2_000_000],
        &[row("fire_from_beam", "msg/s", Higher, TimesBeam(1.1))],
    ),
    mixed(
        "binaries_to_beam",
        Kind::ToBeam,
        "binaries_1m",
        [300, 4_000],
        &[row("binaries_to_beam", "GB/s", Higher, TimesBeam(1.1))],
    ),
    mixed(
        "binaries_from_beam",
        Kind::FromBeam,
        "binaries_1m",
        [300, 4_000],
        &[row("binaries_from_beam", "GB/s", Higher, TimesBeam(1.1))],
    ),
    local(
        "codec_tuple",
        200_000,
        2_000_000,
        &[
            row("codec_tuple_decode", "terms/s", Higher, Figure(12.0e6)),
            row("codec_tuple_encode", "terms/s", Higher, Figure(20.0e6)),
        ],
    ),
    local(
        "codec_list",
        20_000,
        200_000,
        &[
            row("codec_list_decode", "MB/s", Higher, Figure(800.0)),
            row("codec_list_encode", "MB/s", Higher, Figure(1_800.0)),
        ],
    ),
    local(
        "codec_deep",
        10_000,
        100_000,
        &[
            row("codec_deep_decode", "MB/s", Higher, Figure(400.0)),
            row("codec_deep_encode", "MB/s", Higher, Figure(700.0)),
        ],
    ),
    local(
        "codec_strings",
        10_000,
        50_000,
        &[
            row("codec_strings_decode", "MB/s", Higher, Figure(10_000.0)),
            row("codec_strings_encode", "MB/s", Higher, Figure(10_000.0)),
        ],
    ),
    remote("connect", 20, 200, &[row("connect_p50", "ms", Lower, TimesBeam(0.25))]),
    mesh(
        "mesh_10",
        10,
        &[
            row("mesh_10", "ms", Lower, TimesBeam(0.2)),
            row("kill_10", "ms", Lower, TimesBeam(0.25)),
            row("global_register_p50_10", "ms", Lower, TimesBeam(0.33)),
        ],
    ),
    mesh(
        "mesh_30",
        30,
        &[
            row("mesh_30", "ms", Lower, TimesBeam(0.2)),
            row("kill_30", "ms", Lower, TimesBeam(0.25)),
            row("global_register_p50_30", "ms", Lower, TimesBeam(0.33)),
        ],
    ),
    mesh(
        "mesh_60",
        60,
        &[
            row("mesh_60", "ms", Lower, TimesBeam(0.2)),
            row("kill_60", "ms", Lower, TimesBeam(0.25)),
            row("global_register_p50_60", "ms", Lower, TimesBeam(0.33)),
        ],
    ),
    local(
        "nodes_in_process",
        100,
        1_000,
        &[
            row("nodes_in_process", "nodes", Higher, Figure(1_000.0)),
            row("nodes_in_process_start", "ms/node", Lower, Figure(5.0)),
            row("nodes_in_process_memory", "KiB/node", Lower, Figure(1_024.0)),
        ],
    ),
    local("node_memory", 1, 1, &[row("node_memory", "MiB", Lower, Figure(6.0))]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_share_a_name() {
        let mut names: Vec<_> =
            PROGRAMS.iter().flat_map(|program| program.rows).map(|row| row.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_target_in_times_of_beam_points_the_better_way() {
        for row in PROGRAMS.iter().flat_map(|program| program.rows) {
            if let TimesBeam(times) = row.target {
                assert_eq!(times > 1.0, row.better == Higher, "{}", row.name);
            }
        }
    }
}
