//! How often something happens: sums of products of sizes, with the number where all sizes are known.

use std::fmt;
use std::sync::Arc;

/// A sum of more products than this is only given as a bound.
const MOST_TERMS: usize = 64;

/// How many there are of something: `|{numbers}|`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    /// What is counted, as shown.
    pub name: Arc<str>,
    /// How many, when that is known before the run.
    pub known: Option<u64>,
}

impl Size {
    /// The size of a concept's only axis, or of its list.
    pub fn of(concept: &str, known: Option<u64>) -> Self {
        Self { name: Arc::from(format!("|{concept}|")), known }
    }

    /// The size of one of several axes of a concept.
    pub fn along(concept: &str, axis: &str, known: Option<u64>) -> Self {
        Self { name: Arc::from(format!("|{concept}, {axis}|")), known }
    }
}

/// How a count is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// So many.
    #[default]
    Exact,
    /// So many or fewer: a condition decides.
    AtMost,
    /// The formula counts rounds that only the run knows.
    Open,
}

/// A count: a sum of products of sizes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// Number and sizes of each product; like products are one, in the order they came in.
    terms: Vec<(u64, Vec<Size>)>,
    /// How it is meant.
    pub bound: Bound,
}

impl Count {
    /// A number.
    pub fn number(number: u64) -> Self {
        let terms = if number == 0 { Vec::new() } else { vec![(number, Vec::new())] };
        Self { terms, bound: Bound::Exact }
    }

    /// A product of sizes; without any, one.
    pub fn product(sizes: impl IntoIterator<Item = Size>) -> Self {
        let mut sizes: Vec<Size> = sizes.into_iter().filter(|s| s.known != Some(1)).collect();
        sizes.sort();
        Self { terms: vec![(1, sizes)], bound: Bound::Exact }
    }

    /// The same as a bound.
    #[must_use]
    pub fn bounded(mut self, bound: Bound) -> Self {
        self.bound = self.bound.max(bound);
        self
    }

    /// One count after another.
    pub fn add(&mut self, other: &Self) {
        self.bound = self.bound.max(other.bound);
        for (number, sizes) in &other.terms {
            let full = self.terms.len() >= MOST_TERMS;
            match self.terms.iter_mut().find(|(_, s)| s == sizes) {
                Some((sum, _)) => *sum = sum.saturating_add(*number),
                None if !full => self.terms.push((*number, sizes.clone())),
                None => self.bound = Bound::Open,
            }
        }
    }

    /// One count for each of another.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        let mut product = Self { terms: Vec::new(), bound: self.bound.max(other.bound) };
        for (a, first) in &self.terms {
            for (b, second) in &other.terms {
                let mut sizes: Vec<Size> = first.iter().chain(second).cloned().collect();
                sizes.sort();
                product.add(&Self { terms: vec![(a.saturating_mul(*b), sizes)], bound: Bound::Exact });
            }
        }
        product
    }

    /// The number, when every size is known and it fits.
    pub fn value(&self) -> Option<u64> {
        let product = |(number, sizes): &(u64, Vec<Size>)| {
            sizes.iter().try_fold(*number, |n, size| n.checked_mul(size.known?))
        };
        self.terms.iter().map(product).try_fold(0u64, |sum, n| sum.checked_add(n?))
    }

    /// The sizes in it that are not known.
    pub fn unknown(&self) -> Vec<&Size> {
        let mut found: Vec<&Size> = Vec::new();
        for size in self.terms.iter().flat_map(|(_, s)| s).filter(|s| s.known.is_none()) {
            if !found.contains(&size) {
                found.push(size);
            }
        }
        found
    }

    /// The formula without its value: `2 × |{a}| + 1`.
    pub fn formula(&self) -> String {
        let terms: Vec<String> = self
            .terms
            .iter()
            .map(|(number, sizes)| {
                let number = (*number != 1 || sizes.is_empty()).then(|| number.to_string());
                let names = sizes.iter().map(|s| s.name.to_string());
                number.into_iter().chain(names).collect::<Vec<_>>().join(" × ")
            })
            .collect();
        if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bound == Bound::AtMost {
            f.write_str("at most ")?;
        }
        let formula = self.formula();
        f.write_str(&formula)?;
        match self.value() {
            Some(value) if value.to_string() != formula => write!(f, " = {value}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(name: &str, known: Option<u64>) -> Size {
        Size::of(name, known)
    }

    #[test]
    fn formulas_and_their_values() {
        let (a, b) = (size("{a}", Some(9)), size("{b}", None));
        let mut sum = Count::product([a.clone()]);
        assert_eq!(sum.to_string(), "|{a}| = 9");
        sum.add(&Count::number(2));
        assert_eq!(sum.to_string(), "|{a}| + 2 = 11");
        sum.add(&Count::product([a.clone()]));
        assert_eq!(sum.to_string(), "2 × |{a}| + 2 = 20");
        let both = Count::product([b.clone(), a.clone()]);
        assert_eq!(both.to_string(), "|{a}| × |{b}|");
        assert_eq!(both.unknown(), [&b]);
        assert_eq!(both.times(&Count::number(0)).to_string(), "0");
        assert_eq!(
            both.times(&Count::number(2).bounded(Bound::AtMost)).to_string(),
            "at most 2 × |{a}| × |{b}|"
        );
        assert_eq!(Count::product([size("{x}", Some(1))]).to_string(), "1");
        assert_eq!(Count::number(0).to_string(), "0");
        let huge = Count::product([size("{x}", Some(u64::MAX)), size("{y}", Some(2))]);
        assert_eq!(huge.value(), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn values_follow_the_arithmetic(a in 0u64..50, b in 0u64..50, c in 0u64..50, n in 0u64..9) {
            let of = |name: &str, n| Count::product([size(name, Some(n))]);
            let mut sum = of("a", a);
            sum.add(&of("b", b));
            sum.add(&Count::number(n));
            let product = sum.times(&of("c", c));
            proptest::prop_assert_eq!(product.value(), Some((a + b + n) * c));
        }
    }
}
