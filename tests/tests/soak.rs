//! The mixed soak: three nodes of OTP and three of ours, one minute of misfortune, or as many as are asked for.
//!
//! Nodes of OTP can come to be at odds with each other all by themselves. The soak tells that apart (how: `src/soak/verdict.rs`),
//! prints such a round in full, counts it, and goes on; more than a few of them fail.
//!
//! `TRUNKLINE_SOAK_OURS=0` is the control: six nodes of OTP. With `TRUNKLINE_SOAK_FAR` set, half of all misfortune is lost
//! connections and names for processes that live elsewhere. With `TRUNKLINE_SOAK_LOG=FOLDER`, which must exist, nodes of ours
//! log all that happens to them there, and nodes of OTP tell in a failed round's report what `global` did.

use trunkline_tests::soak::{Soak, seed};
use trunkline_tests::{erl, world};

/// As many seconds as `TRUNKLINE_SOAK_SECONDS` says, one minute without it.
#[tokio::test(flavor = "multi_thread")]
async fn three_of_each_kind_agree_after_every_misfortune() {
    if !erl::found() {
        return;
    }
    let asked = |what: &str| std::env::var(what).ok().and_then(|text| text.parse().ok());
    let (seconds, seed) = (asked("TRUNKLINE_SOAK_SECONDS").unwrap_or(60), seed());
    let ours = asked("TRUNKLINE_SOAK_OURS").unwrap_or(3);
    println!(
        "the seed is {seed} (TRUNKLINE_SEED), {seconds} s (TRUNKLINE_SOAK_SECONDS), {ours} of ours (TRUNKLINE_SOAK_OURS)"
    );
    let begun = world::time_of_day();
    let epmd = world::private_epmd();
    let soaker = std::env::var("TRUNKLINE_SOAKER").unwrap_or(env!("CARGO_BIN_EXE_soaker").to_owned());
    let mut soak = Soak::start(seed, &soaker, epmd, ours as usize).await;
    while (world::time_of_day() - begun).as_secs() < seconds {
        let round = world::time_of_day();
        soak.round().await;
        let rounds = soak.rounds;
        println!("round {rounds} of the seed {seed}: all agree after {:?}", world::time_of_day() - round);
    }
    println!("{} rounds: {:?}; OTP was at odds with itself after {:?}", soak.rounds, soak.done, soak.wedges);
    assert!(soak.rounds > 0);
}
