//! Arithmetic on integers of any size, and on floats where a float is given.
//!
//! Numbers may come as text (`12`, ` -3 `), as lists, and as the joined text of a cell's items (`3, and 8`;
//! `1, 2, and 3`). Integers stay exact; one float makes the result a float.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

use super::args::{Args, Flat};
use crate::base::{Number, Value, text_of};
use crate::faculty::{Failure, FailureKind};

/// Decimal digits an integer may have: reading and printing them costs more than linear time.
const DIGIT_LIMIT: usize = 100_000;

/// Bits that many digits take, rounded up.
const BIT_LIMIT: u64 = 332_193;

/// A number while one calculates with it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Num {
    Small(i64),
    Big(BigInt),
    Float(f64),
}

impl Num {
    fn from_big(big: BigInt) -> Self {
        big.to_i64().map_or(Self::Big(big), Self::Small)
    }

    fn is_integer(&self) -> bool {
        !matches!(self, Self::Float(_))
    }

    fn big(&self) -> BigInt {
        match self {
            Self::Small(n) => BigInt::from(*n),
            Self::Big(n) => n.clone(),
            Self::Float(_) => BigInt::zero(),
        }
    }

    pub(super) fn float(&self) -> f64 {
        match self {
            Self::Small(n) => *n as f64,
            Self::Big(n) => n.to_f64().unwrap_or(f64::INFINITY),
            Self::Float(f) => *f,
        }
    }

    fn is_zero(&self) -> bool {
        match self {
            Self::Small(n) => *n == 0,
            Self::Big(n) => n.is_zero(),
            Self::Float(f) => *f == 0.0,
        }
    }

    /// Order by value; exact between integers, and between an integer and a float.
    pub(super) fn order(&self, other: &Self) -> std::cmp::Ordering {
        use std::cmp::Ordering;
        match (self, other) {
            (Self::Small(a), Self::Small(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (Self::Float(a), b) => order_float(*a, &b.big()),
            (a, Self::Float(b)) => order_float(*b, &a.big()).reverse(),
            (a, b) => a.big().cmp(&b.big()),
        }
    }

    /// The value; none for a float that is not finite.
    pub(super) fn value(&self) -> Option<Value> {
        match self {
            Self::Small(n) => Some(Value::Number((*n).into())),
            Self::Big(n) => Some(Value::Number(Number::from(n))),
            Self::Float(f) => Number::from_f64(*f).map(Value::Number),
        }
    }
}

/// Where a float stands beside an integer: by the integer below it, then by what is left.
fn order_float(float: f64, integer: &BigInt) -> std::cmp::Ordering {
    use num_traits::FromPrimitive;
    match BigInt::from_f64(float.floor()) {
        Some(floor) => floor.cmp(integer).then(if float.fract() == 0.0 {
            std::cmp::Ordering::Equal
        } else {
            std::cmp::Ordering::Greater
        }),
        None if float > 0.0 => std::cmp::Ordering::Greater,
        None => std::cmp::Ordering::Less,
    }
}

/// A value as a number: a number, or a text that is one.
pub(super) fn as_number(value: &Value) -> Option<Num> {
    match value {
        Value::Number(number) => read(number.as_str()),
        Value::Text(text) => read(text.trim()),
        _ => None,
    }
}

fn read(text: &str) -> Option<Num> {
    if let Ok(small) = text.parse::<i64>() {
        return Some(Num::Small(small));
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        return if digits.len() > DIGIT_LIMIT { None } else { text.parse().ok().map(Num::from_big) };
    }
    // Floats as JSON and Python write them; not what else the standard library reads, such as `nan`.
    let float = digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if !float {
        return None;
    }
    text.parse::<f64>().ok().filter(|f| f.is_finite()).map(Num::Float)
}

/// The items of the joined text of a cell: `a, and b` or `a, b, and c` (semantics spec, section 9.2).
fn joined(text: &str) -> Option<Vec<Num>> {
    let (head, last) = text.rsplit_once(", and ")?;
    head.split(", ").chain([last]).map(|item| read(item.trim())).collect()
}

/// All numbers of the arguments, lists and joined texts opened.
fn numbers(args: &Args<'_>) -> Result<Vec<Num>, Failure> {
    let mut numbers = Vec::new();
    for value in Flat::new(args.at_least(1)?) {
        if let Some(number) = as_number(value) {
            numbers.push(number);
            continue;
        }
        match value {
            Value::Text(text) if text.contains(", and ") => {
                numbers.extend(joined(text).ok_or_else(|| args.wrong("numbers", value))?);
            }
            Value::Sign(_) => {
                let payload = crate::base::strip(value);
                numbers.push(as_number(&payload).ok_or_else(|| args.wrong("a number", value))?);
            }
            _ => return Err(not_a_number(args, value)),
        }
    }
    Ok(numbers)
}

fn not_a_number(args: &Args<'_>, value: &Value) -> Failure {
    let text = text_of(value);
    let long = text.len() > DIGIT_LIMIT && text.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit());
    if long {
        let digits = text.len();
        return Failure::new(
            FailureKind::BadArguments,
            format!("`{}` got an integer of {digits} digits, more than {DIGIT_LIMIT}", args.name()),
        );
    }
    args.wrong("a number", value)
}

/// Exactly two numbers.
fn two(args: &Args<'_>) -> Result<(Num, Num), Failure> {
    match <[Num; 2]>::try_from(numbers(args)?) {
        Ok([a, b]) => Ok((a, b)),
        Err(numbers) => Err(count(args, "two numbers", numbers.len())),
    }
}

/// Exactly two integers, the second not zero.
fn two_integers(args: &Args<'_>) -> Result<(Num, Num), Failure> {
    let (a, b) = two(args)?;
    if let Some(float) = [&a, &b].into_iter().find(|n| !n.is_integer()) {
        return Err(args.wrong("integers", &float.value().unwrap_or(Value::Null)));
    }
    if b.is_zero() { Err(zero(args)) } else { Ok((a, b)) }
}

fn count(args: &Args<'_>, expected: &str, got: usize) -> Failure {
    Failure::new(FailureKind::BadArguments, format!("`{}` expects {expected}, got {got}", args.name()))
}

fn zero(args: &Args<'_>) -> Failure {
    Failure::new(FailureKind::BadArguments, format!("`{}` cannot divide by zero", args.name()))
}

fn finish(args: &Args<'_>, number: &Num) -> Result<Value, Failure> {
    if let Num::Big(big) = number
        && big.bits() > BIT_LIMIT
    {
        return Err(args.too_large(&format!("an integer of {DIGIT_LIMIT} digits")));
    }
    number.value().ok_or_else(|| args.too_large("a float can be"))
}

/// Folds integers on a fast path that leaves for large integers when it overflows, and for floats when it meets one.
fn fold(
    numbers: &[Num],
    start: Num,
    small: fn(i64, i64) -> Option<i64>,
    big: impl Fn(BigInt, &BigInt) -> Option<BigInt>,
    float: fn(f64, f64) -> f64,
) -> Option<Num> {
    if numbers.iter().any(|n| !n.is_integer()) {
        return Some(Num::Float(numbers.iter().fold(start.float(), |sum, n| float(sum, n.float()))));
    }
    let mut result = start;
    for number in numbers {
        result = match (&result, number) {
            (Num::Small(a), Num::Small(b)) => match small(*a, *b) {
                Some(n) => Num::Small(n),
                None => Num::from_big(big(BigInt::from(*a), &BigInt::from(*b))?),
            },
            (a, b) => Num::from_big(big(a.big(), &b.big())?),
        };
    }
    Some(result)
}

pub(super) fn add(args: &Args<'_>) -> Result<Value, Failure> {
    let numbers = numbers(args)?;
    let sum = fold(&numbers, Num::Small(0), i64::checked_add, |a, b| Some(a + b), |a, b| a + b);
    finish(args, &sum.unwrap_or(Num::Small(0)))
}

pub(super) fn sub(args: &Args<'_>) -> Result<Value, Failure> {
    let numbers = numbers(args)?;
    let Some((first, rest)) = numbers.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Err(count(args, "at least two numbers", numbers.len()));
    };
    let result = fold(rest, first.clone(), i64::checked_sub, |a, b| Some(a - b), |a, b| a - b);
    finish(args, &result.unwrap_or(Num::Small(0)))
}

pub(super) fn mul(args: &Args<'_>) -> Result<Value, Failure> {
    let numbers = numbers(args)?;
    // A zero anywhere makes the product small, however large the others are.
    if numbers.iter().all(Num::is_integer) && numbers.iter().any(Num::is_zero) {
        return finish(args, &Num::Small(0));
    }
    let times = |a: BigInt, b: &BigInt| (a.bits() + b.bits() <= BIT_LIMIT + 1).then(|| a * b);
    let product = fold(&numbers, Num::Small(1), i64::checked_mul, times, |a, b| a * b);
    match product {
        Some(product) => finish(args, &product),
        None => Err(args.too_large(&format!("an integer of {DIGIT_LIMIT} digits"))),
    }
}

pub(super) fn div(args: &Args<'_>) -> Result<Value, Failure> {
    let (a, b) = two(args)?;
    if b.is_zero() {
        return Err(zero(args));
    }
    if !a.is_integer() || !b.is_integer() {
        return finish(args, &Num::Float(a.float() / b.float()));
    }
    let (quotient, rest) = a.big().div_rem(&b.big());
    if rest.is_zero() {
        return finish(args, &Num::from_big(quotient));
    }
    finish(args, &Num::Float(ratio(&a.big(), &b.big())))
}

/// The quotient of two integers as a float, also when neither of them is a float itself.
fn ratio(a: &BigInt, b: &BigInt) -> f64 {
    let exact = 1_u64 << 53;
    if a.magnitude() <= &exact.into() && b.magnitude() <= &exact.into() {
        return a.to_f64().unwrap_or(0.0) / b.to_f64().unwrap_or(1.0);
    }
    // Scaled so that the integer quotient keeps 64 significant bits; what is cut off only marks it as inexact.
    let (a_bits, b_bits) = (a.bits() as i64, b.bits() as i64);
    let shift = 66 - (a_bits - b_bits);
    let (scaled_a, scaled_b) = if shift >= 0 {
        (a.abs() << shift as u64, b.abs())
    } else {
        (a.abs(), b.abs() << shift.unsigned_abs())
    };
    let (mut quotient, rest) = scaled_a.div_rem(&scaled_b);
    if !rest.is_zero() {
        quotient |= BigInt::from(1);
    }
    let magnitude = quotient.to_f64().unwrap_or(f64::INFINITY);
    let scaled = scale(magnitude, -shift);
    if a.is_negative() == b.is_negative() { scaled } else { -scaled }
}

/// `number` times two to the power `exponent`, in steps that do not overflow on the way.
fn scale(mut number: f64, exponent: i64) -> f64 {
    let mut left = exponent.clamp(-5000, 5000);
    while left != 0 && number != 0.0 && number.is_finite() {
        let step = left.clamp(-512, 512);
        number *= 2_f64.powi(step as i32);
        left -= step;
    }
    number
}

pub(super) fn quotient(args: &Args<'_>) -> Result<Value, Failure> {
    let (a, b) = two_integers(args)?;
    finish(args, &divided(&a, &b).0)
}

pub(super) fn remainder(args: &Args<'_>) -> Result<Value, Failure> {
    let (a, b) = two_integers(args)?;
    finish(args, &divided(&a, &b).1)
}

fn divided(a: &Num, b: &Num) -> (Num, Num) {
    if let (Num::Small(a), Num::Small(b)) = (a, b)
        && *b != 0
        && *b != -1
    {
        let (quotient, remainder) = a.div_mod_floor(b);
        return (Num::Small(quotient), Num::Small(remainder));
    }
    let (quotient, remainder) = a.big().div_mod_floor(&b.big());
    (Num::from_big(quotient), Num::from_big(remainder))
}

pub(super) fn is_zero(args: &Args<'_>) -> Result<Value, Failure> {
    let numbers = numbers(args)?;
    if numbers.is_empty() {
        return Err(count(args, "at least one number", 0));
    }
    Ok(Value::Bool(numbers.iter().all(Num::is_zero)))
}

#[cfg(test)]
mod tests {
    use crate::base::{FixedClock, Value, text_of};
    use crate::faculty::{Failure, FailureKind, builtin::call};
    use proptest::prelude::*;
    use serde_json::json;

    fn run(name: &str, args: serde_json::Value) -> Result<String, Failure> {
        let Value::List(args) = Value::from_data_json(&args) else { panic!("a list of arguments") };
        call(name, &args, &FixedClock(0)).map(|v| text_of(&v))
    }

    #[test]
    fn integers_of_any_size_texts_and_lists() {
        let cases = [
            ("add", json!([123, 98]), "221"),
            ("add", json!([["12", [" 3 "]], 5]), "20"),
            ("add", json!(["3, and 8", 1]), "12"),
            ("add", json!(["1, 2, and 3"]), "6"),
            ("add", json!([[]]), "0"),
            ("add", json!([i64::MAX, 1]), "9223372036854775808"),
            ("add", json!([i64::MIN, -1, 1]), "-9223372036854775808"),
            ("add", json!(["99999999999999999999", "+1"]), "100000000000000000000"),
            ("add", json!([1, 0.5]), "1.5"),
            ("sum", json!([[1, 2, 3]]), "6"),
            ("sub", json!([10, 3, 2]), "5"),
            ("sub", json!([i64::MIN, 1]), "-9223372036854775809"),
            ("mul", json!([4_294_967_296_i64, 4_294_967_296_i64]), "18446744073709551616"),
            ("mul", json!([-1, i64::MIN]), "9223372036854775808"),
            ("div", json!([6, 3]), "2"),
            ("div", json!([7, 2]), "3.5"),
            ("div", json!([-7, 2]), "-3.5"),
            ("div", json!([1, 3]), "0.3333333333333333"),
            ("div", json!([1.0, 4]), "0.25"),
            ("quotient", json!([123, 10]), "12"),
            ("quotient", json!([-7, 2]), "-4"),
            ("quotient", json!([i64::MIN, -1]), "9223372036854775808"),
            ("remainder", json!([123, 10]), "3"),
            ("remainder", json!([-7, 2]), "1"),
            ("remainder", json!([7, -2]), "-1"),
            ("remainder", json!([i64::MIN, -1]), "0"),
            ("remainder", json!(["123456789012345678901234567890", "10"]), "0"),
            ("is_zero", json!([0]), "True"),
            ("is_zero", json!([["0", 0.0, "-0"]]), "True"),
            ("is_zero", json!([[0, 1]]), "False"),
        ];
        for (name, args, wanted) in cases {
            assert_eq!(
                run(name, args.clone()).as_deref().map_err(|f| f.message.clone()),
                Ok(wanted),
                "{name} {args}"
            );
        }
    }

    #[test]
    fn wrong_arguments_say_what_was_expected_and_got() {
        let cases = [
            ("add", json!([]), "`add` expects NUMBER..., got 0 arguments"),
            ("add", json!(["twelve"]), "`add` expects a number, got the text `twelve`"),
            ("add", json!([true]), "`add` expects a number, got the truth value `True`"),
            ("add", json!([[1, null]]), "`add` expects a number, got null"),
            ("add", json!(["1, and x"]), "`add` expects numbers, got the text `1, and x`"),
            ("add", json!(["nan"]), "`add` expects a number, got the text `nan`"),
            ("add", json!([{"a": 1}]), "`add` expects a number, got the map `{'a': 1}`"),
            ("sub", json!([1]), "`sub` expects at least two numbers, got 1"),
            ("div", json!([1, 2, 3]), "`div` expects two numbers, got 3"),
            ("quotient", json!([1, 0]), "`quotient` cannot divide by zero"),
            ("remainder", json!([1.5, 2]), "`remainder` expects integers, got the number `1.5`"),
            ("div", json!([1.0, 0]), "`div` cannot divide by zero"),
            ("mul", json!([1e300, 1e300]), "the result of `mul` would be larger than a float can be"),
            ("is_zero", json!([[]]), "`is_zero` expects at least one number, got 0"),
        ];
        for (name, args, wanted) in cases {
            let failure = run(name, args).unwrap_err();
            assert_eq!(failure.message, wanted);
            assert_eq!(failure.kind, FailureKind::BadArguments);
        }
    }

    #[test]
    fn integers_do_not_grow_without_end() {
        let large = "9".repeat(90_000);
        assert_eq!(run("add", json!([large, 1])).unwrap().len(), 90_001);
        assert!(run("mul", json!([large, large])).unwrap_err().message.contains("100000 digits"));
        assert_eq!(run("mul", json!([large, large, 0])).unwrap(), "0");
        let hostile = "9".repeat(1_000_000);
        assert!(run("add", json!([hostile])).unwrap_err().message.contains("1000000 digits"));
    }

    #[test]
    fn quotients_of_large_integers_are_rounded_once() {
        let ten = |n: usize| format!("1{}", "0".repeat(n));
        assert_eq!(
            run("div", json!([ten(400), format!("3{}", "0".repeat(400))])).unwrap(),
            "0.3333333333333333"
        );
        assert_eq!(run("div", json!([1, ten(320)])).unwrap(), "1e-320");
        assert_eq!(run("div", json!([1, ten(400)])).unwrap(), "0.0");
        assert!(run("div", json!([ten(400), 3])).unwrap_err().message.contains("float"));
    }

    proptest! {
        #[test]
        fn quotient_and_remainder_belong_together(a in any::<i64>(), b in any::<i64>()) {
            prop_assume!(b != 0);
            let q: i128 = run("quotient", json!([a, b])).unwrap().parse().unwrap();
            let r: i128 = run("remainder", json!([a, b])).unwrap().parse().unwrap();
            prop_assert_eq!(q * i128::from(b) + r, i128::from(a));
            prop_assert!(r == 0 || (r < 0) == (b < 0));
            prop_assert!(r.abs() < i128::from(b).abs());
        }

        #[test]
        fn sums_and_products_are_exact(a in any::<i64>(), b in any::<i64>()) {
            let (x, y) = (i128::from(a), i128::from(b));
            prop_assert_eq!(run("add", json!([a, b])).unwrap(), (x + y).to_string());
            prop_assert_eq!(run("sub", json!([a, b])).unwrap(), (x - y).to_string());
            prop_assert_eq!(run("mul", json!([a, b])).unwrap(), (x * y).to_string());
        }
    }
}
