//! More modules of the library: what a working day needs besides the language.

use super::{Row, cells, ets, files, scan_on, system};

/// Tables of functions written in Rust.
pub(super) const NATIVES: &[(&str, &[&[Row]])] = &[
    ("atomics", &[cells::ATOMICS]),
    ("counters", &[cells::COUNTERS]),
    ("crypto", &[system::CRYPTO]),
    ("erl_scan", &[scan_on::TABLE]),
    ("ets", &[ets::TABLE, ets::LOOK, ets::CHANGE, ets::WALK]),
    ("file", &[files::WHOLE, files::HANDLES]),
    ("math", &[system::MATH]),
    ("os", &[system::OS]),
    ("persistent_term", &[cells::PERSISTENT]),
    ("rand", &[cells::RAND]),
];

/// Modules written in Erlang.
pub(super) const SOURCES: &[(&str, &str)] = &[
    ("array", include_str!("erl/array.erl")),
    ("base64", include_str!("erl/base64.erl")),
    ("crypto", include_str!("erl/crypto.erl")),
    ("erl_parse", include_str!("erl/erl_parse.erl")),
    ("erl_pp", include_str!("erl/erl_pp.erl")),
    ("ets", include_str!("erl/ets.erl")),
    ("file", include_str!("erl/file.erl")),
    ("filelib", include_str!("erl/filelib.erl")),
    ("filename", include_str!("erl/filename.erl")),
    ("gb_sets", include_str!("erl/gb_sets.erl")),
    ("gb_trees", include_str!("erl/gb_trees.erl")),
    ("global", include_str!("erl/global.erl")),
    ("inet", include_str!("erl/inet.erl")),
    ("io", include_str!("erl/io.erl")),
    ("io_lib", include_str!("erl/io_lib.erl")),
    ("linear_hash", include_str!("erl/linear_hash.erl")),
    ("os", include_str!("erl/os.erl")),
    ("rand", include_str!("erl/rand.erl")),
];
