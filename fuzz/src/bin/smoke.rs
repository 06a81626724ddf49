//! Every target for a few seconds, on any Rust: random bytes, and changes of bytes that came before.
//!
//! `smoke [--seconds N] [--seed N] [--only TARGET,TARGET]`: N seconds for each target. The seed is printed; the same
//! seed gives the same inputs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use trunkline_fuzz::{TARGETS, Target};

const INPUT_BYTES_MAX: u64 = 4096;
const KEPT_INPUTS_MAX: usize = 512;
const SECONDS_DEFAULT: u64 = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| option(&arguments, name).map(|text| text.parse::<u64>().expect("a number"));
    let budget = Duration::from_secs(number("--seconds").unwrap_or(SECONDS_DEFAULT));
    let seed = number("--seed").unwrap_or_else(clock_seed);
    let only = option(&arguments, "--only");
    let mut failed = false;
    for target in TARGETS {
        if only.is_some_and(|only| !only.split(',').any(|name| name == target.name)) {
            continue;
        }
        match run(target, seed, budget) {
            Ok(inputs) => println!("{:<12} {inputs} inputs, seed {seed}: ok", target.name),
            Err(input) => {
                println!("{:<12} FAILED, seed {seed}, input {}", target.name, hex(&input));
                failed = true;
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The number of inputs that were survived, or the one that was not.
fn run(target: &Target, seed: u64, budget: Duration) -> Result<u64, Vec<u8>> {
    let (mut dice, mut kept, end) = (Dice(seed | 1), Vec::new(), Instant::now() + budget);
    let mut inputs = 0;
    while Instant::now() < end {
        for _ in 0..64 {
            let input = next_input(&mut dice, &kept);
            if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
                return Err(input);
            }
            inputs += 1;
            keep(&mut kept, input, &mut dice);
        }
    }
    Ok(inputs)
}

fn next_input(dice: &mut Dice, kept: &[Vec<u8>]) -> Vec<u8> {
    if kept.is_empty() || dice.below(4) == 0 {
        let most = [16, 128, INPUT_BYTES_MAX][dice.below(3) as usize];
        let sparse = dice.below(2) == 0;
        return (0..dice.below(most))
            .map(|_| if sparse { dice.below(8) as u8 } else { dice.next() as u8 })
            .collect();
    }
    let mut input = kept[dice.below(kept.len() as u64) as usize].clone();
    for _ in 0..=dice.below(8) {
        change(&mut input, dice);
    }
    input
}

fn change(input: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(input.len() as u64 + 1) as usize;
    match dice.below(5) {
        0 => input.truncate(at),
        1 => input.insert(at, dice.next() as u8),
        2 if at < input.len() => drop(input.remove(at)),
        3 => input.extend((0..dice.below(32)).map(|_| dice.next() as u8)),
        _ if at < input.len() => input[at] ^= 1 << dice.below(8),
        _ => input.push(dice.next() as u8),
    }
    input.truncate(INPUT_BYTES_MAX as usize);
}

fn keep(kept: &mut Vec<Vec<u8>>, input: Vec<u8>, dice: &mut Dice) {
    if kept.len() < KEPT_INPUTS_MAX {
        kept.push(input);
    } else {
        kept[dice.below(KEPT_INPUTS_MAX as u64) as usize] = input;
    }
}

/// xorshift64*: small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 24
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

fn option<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1).map(String::as_str)
}

fn clock_seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_nanos() as u64
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
