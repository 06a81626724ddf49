//! `~e`, `~f` and `~g`: OTP rounds the digits of `float_to_list/1`, halves up.

use super::FormatError;
use super::field::Field;

/// The 21 digits that `float_to_list/1` gives, and where the point stands: before the first is 0.
struct Digits {
    digits: Vec<u8>,
    point: i64,
}

impl Digits {
    fn of(number: f64) -> Digits {
        let text = format!("{:.20e}", number.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
        Digits { digits, point: exponent.parse::<i64>().unwrap_or(0) + 1 }
    }

    /// So many digits before the point and after it; and whether rounding carried over the first.
    fn mantissa(&self, before: usize, after: usize) -> (String, bool) {
        let wanted = before + after;
        let mut digits: Vec<u8> = self.digits.iter().copied().take(wanted).collect();
        let mut carry = self.digits.get(wanted).is_some_and(|digit| *digit >= 5);
        digits.resize(wanted, 0);
        for digit in digits.iter_mut().rev() {
            if !carry {
                break;
            }
            carry = *digit == 9;
            *digit = if carry { 0 } else { *digit + 1 };
        }
        let text = |digits: &[u8]| digits.iter().map(|digit| char::from(b'0' + digit)).collect::<String>();
        let (whole, part) = digits.split_at(before);
        (format!("{}.{}", text(whole), text(part)), carry)
    }
}

fn sign(number: f64) -> &'static str {
    if number.is_sign_negative() { "-" } else { "" }
}

pub(super) fn e(number: f64, field: &Field) -> Result<String, FormatError> {
    let precision = field.precision.unwrap_or(6);
    if precision < 2 {
        return Err(FormatError::BadArgument);
    }
    let digits = Digits::of(number);
    let (mut mantissa, carry) = digits.mantissa(1, precision - 1);
    let mut exponent = digits.point - 1;
    if carry {
        mantissa.replace_range(..1, "1");
        exponent += 1;
    }
    field.number(format!("{}{mantissa}e{exponent:+}", sign(number)))
}

pub(super) fn f(number: f64, field: &Field) -> Result<String, FormatError> {
    let precision = field.precision.unwrap_or(6);
    if precision < 1 {
        return Err(FormatError::BadArgument);
    }
    let mut digits = Digits::of(number);
    if let Ok(zeros) = usize::try_from(1 - digits.point)
        && zeros > 0
    {
        digits.digits.splice(0..0, std::iter::repeat_n(0, zeros));
        digits.point = 1;
    }
    let (mantissa, carry) = digits.mantissa(usize::try_from(digits.point).unwrap_or(1), precision);
    field.number(format!("{}{}{mantissa}", sign(number), if carry { "1" } else { "" }))
}

/// The form of `f` from 0.1 to 10,000 where the digits suffice for it, the form of `e` elsewhere.
pub(super) fn g(number: f64, field: &Field) -> Result<String, FormatError> {
    let precision = field.precision.unwrap_or(6);
    if precision < 1 {
        return Err(FormatError::BadArgument);
    }
    let exponent = match number.abs() {
        size if size < 0.1 => Some(-2),
        size if size < 1.0 => Some(-1),
        size if size < 10.0 => Some(0),
        size if size < 100.0 => Some(1),
        size if size < 1e3 => Some(2),
        size if size < 1e4 => Some(3),
        _ => None,
    };
    let left = exponent.map(|exponent| precision as i64 - 1 - exponent);
    match (left, exponent) {
        (Some(left), Some(exponent))
            if exponent >= -1 && (left > 0 || (precision == 1 && exponent == -1)) =>
        {
            f(number, &field.precise(usize::try_from(left).unwrap_or(0)))
        }
        _ => e(number, &field.precise(precision.max(2))),
    }
}
