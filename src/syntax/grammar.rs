//! The pest grammar and the one way it is called.

use std::num::NonZeroUsize;
use std::sync::Once;

use pest::Parser;
use pest::iterators::{Pair, Pairs};

/// The parser of one logical line; its rules are described in the grammar file.
#[derive(pest_derive::Parser)]
#[grammar = "../grammar/normcode.pest"]
struct NormCode;

/// Steps one call may take. Real lines need thousands; the limit only cuts off texts made to be slow.
const CALL_LIMIT: usize = 40_000_000;

/// Reads `text` as `rule` and gives the parts of the match; none when it does not fit.
pub(super) fn read(rule: Rule, text: &str) -> Option<Pairs<'_, Rule>> {
    static LIMIT: Once = Once::new();
    // The limit is one number for the process; nothing else in it uses pest.
    LIMIT.call_once(|| pest::set_call_limit(NonZeroUsize::new(CALL_LIMIT)));
    let mut pairs = NormCode::parse(rule, text).ok()?;
    Some(pairs.next()?.into_inner())
}

/// The first part of a pair.
pub(super) fn first(pair: Pair<'_, Rule>) -> Option<Pair<'_, Rule>> {
    pair.into_inner().next()
}
