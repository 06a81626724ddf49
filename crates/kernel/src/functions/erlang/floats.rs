//! Floats as text, in the forms that `float_to_list/1,2` has, and back.

use term::Term;

use super::super::{Fault, args};

/// `float_to_list(F)`: `"1.50000000000000000000e+00"`.
pub(super) fn scientific(float: f64, decimals: usize) -> String {
    let text = format!("{float:.decimals$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// `float_to_list(F, Options)`.
pub(super) fn with_options(float: f64, options: &Term) -> Result<String, Fault> {
    let mut compact = false;
    let mut form = None;
    for option in args::items(options)? {
        match &option {
            Term::Atom(word) if *word == "compact" => compact = true,
            Term::Atom(word) if *word == "short" => form = Some(Form::Short),
            option => match args::tuple(option)? {
                [Term::Atom(word), Term::Int(decimals @ 0..=253)] if *word == "decimals" => {
                    form = Some(Form::Decimals(*decimals as usize));
                }
                [Term::Atom(word), Term::Int(decimals @ 0..=249)] if *word == "scientific" => {
                    form = Some(Form::Scientific(*decimals as usize));
                }
                _ => return Err(Fault::Unfit),
            },
        }
    }
    Ok(match form {
        None => scientific(float, 20),
        Some(Form::Scientific(decimals)) => scientific(float, decimals),
        Some(Form::Short) => {
            let mut text = String::new();
            // A String takes everything.
            let _ = term::print::write_float(&mut text, float);
            text
        }
        Some(Form::Decimals(decimals)) => {
            let text = format!("{float:.decimals$}");
            match compact && text.contains('.') {
                true => short_of(&text),
                false => text,
            }
        }
    })
}

enum Form {
    Short,
    Decimals(usize),
    Scientific(usize),
}

/// Without zeros at the end, but for the one behind the point.
fn short_of(text: &str) -> String {
    let text = text.trim_end_matches('0');
    if text.ends_with('.') { format!("{text}0") } else { text.to_owned() }
}

/// The float that this text says: with a point, and digits on both sides of it.
pub(super) fn read(text: &str) -> Result<f64, Fault> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (before, after) = digits.split_once('.').ok_or(Fault::Unfit)?;
    let starts_with_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let plain = before.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || !starts_with_digit(before) || !starts_with_digit(after) {
        return Err(Fault::Unfit);
    }
    let float: f64 = text.parse().map_err(|_| Fault::Unfit)?;
    if float.is_finite() { Ok(float) } else { Err(Fault::Unfit) }
}
