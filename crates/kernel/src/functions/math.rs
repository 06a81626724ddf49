//! `math`. What has no finite result is `badarith`.

use term::Term;

use super::erlang::arithmetic::{float, number};
use super::{Answer, Module, args};

pub(super) const MODULE: Module = Module {
    name: "math",
    unfit: "badarg",
    near: &[
        ("pi", 0, |_, _| Ok(Term::Float(std::f64::consts::PI))),
        ("tau", 0, |_, _| Ok(Term::Float(std::f64::consts::TAU))),
        ("sin", 1, |_, a| of(a, f64::sin)),
        ("cos", 1, |_, a| of(a, f64::cos)),
        ("tan", 1, |_, a| of(a, f64::tan)),
        ("asin", 1, |_, a| of(a, f64::asin)),
        ("acos", 1, |_, a| of(a, f64::acos)),
        ("atan", 1, |_, a| of(a, f64::atan)),
        ("sinh", 1, |_, a| of(a, f64::sinh)),
        ("cosh", 1, |_, a| of(a, f64::cosh)),
        ("tanh", 1, |_, a| of(a, f64::tanh)),
        ("exp", 1, |_, a| of(a, f64::exp)),
        ("log", 1, |_, a| of(a, f64::ln)),
        ("log2", 1, |_, a| of(a, f64::log2)),
        ("log10", 1, |_, a| of(a, f64::log10)),
        ("sqrt", 1, |_, a| of(a, f64::sqrt)),
        ("ceil", 1, |_, a| of(a, f64::ceil)),
        ("floor", 1, |_, a| of(a, f64::floor)),
        ("pow", 2, |_, a| of_two(a, f64::powf)),
        ("atan2", 2, |_, a| of_two(a, f64::atan2)),
        ("fmod", 2, |_, a| of_two(a, |over, under| over % under)),
    ],
    far: &[],
};

fn of(a: &[Term], function: fn(f64) -> f64) -> Answer {
    finite(function(number(&a[0])?.float()?))
}

fn of_two(a: &[Term], function: fn(f64, f64) -> f64) -> Answer {
    finite(function(number(&a[0])?.float()?, number(&a[1])?.float()?))
}

fn finite(result: f64) -> Answer {
    float(result).or_else(|_| args::fail("badarith"))
}
