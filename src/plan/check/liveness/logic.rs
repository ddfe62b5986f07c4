//! Formulas over outcomes of conditions: decision diagrams, shared and bounded. A formula that would grow past its
//! bound is *unknown*, and whoever asks says nothing then. Knows nothing of plans.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

/// So many steps may one operation take; no diagram is larger.
const STEPS: usize = 512;

/// So many nodes are kept in all.
const NODES: usize = 1 << 18;

/// A formula: a node of [`Logic`], or nothing known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::plan::check) struct Formula(u32);

impl Formula {
    /// Holds under no outcome.
    pub(in crate::plan::check) const NEVER: Formula = Formula(0);
    /// Holds under every outcome.
    pub(super) const ALWAYS: Formula = Formula(1);
    /// Too large to be written down.
    pub(super) const UNKNOWN: Formula = Formula(u32::MAX);

    /// Certainly holds under some outcome.
    pub(in crate::plan::check) fn can_hold(self) -> bool {
        self != Self::NEVER && self != Self::UNKNOWN
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Node {
    variable: u32,
    if_false: Formula,
    if_true: Formula,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    And,
    Or,
    /// `a`, but not `b`.
    Without,
}

/// The nodes of all formulas. INVARIANT: no two are equal, and the variables of a node's branches are higher than its
/// own, so formulas that mean the same are the same.
#[derive(Debug, Default)]
pub(super) struct Logic {
    nodes: Vec<Node>,
    known: FxHashMap<Node, Formula>,
}

impl Logic {
    /// A condition's outcome: it is true.
    pub(super) fn is_true(&mut self, variable: u32) -> Formula {
        self.node(Node { variable, if_false: Formula::NEVER, if_true: Formula::ALWAYS })
    }

    pub(super) fn and(&mut self, a: Formula, b: Formula) -> Formula {
        match (a, b) {
            (Formula::NEVER, _) | (_, Formula::NEVER) => Formula::NEVER,
            (Formula::ALWAYS, other) | (other, Formula::ALWAYS) => other,
            _ => self.apply(Operation::And, a, b),
        }
    }

    pub(super) fn or(&mut self, a: Formula, b: Formula) -> Formula {
        match (a, b) {
            (Formula::ALWAYS, _) | (_, Formula::ALWAYS) => Formula::ALWAYS,
            (Formula::NEVER, other) | (other, Formula::NEVER) => other,
            _ => self.apply(Operation::Or, a, b),
        }
    }

    /// `a`, but not `b`.
    pub(super) fn without(&mut self, a: Formula, b: Formula) -> Formula {
        match (a, b) {
            (Formula::NEVER, _) | (_, Formula::ALWAYS) => Formula::NEVER,
            (other, Formula::NEVER) => other,
            _ => self.apply(Operation::Without, a, b),
        }
    }

    pub(super) fn not(&mut self, a: Formula) -> Formula {
        self.without(Formula::ALWAYS, a)
    }

    /// An outcome under which a formula holds (`wanted` is [`Formula::ALWAYS`]) or does not ([`Formula::NEVER`]), as
    /// few conditions as do; empty where all outcomes are alike.
    pub(super) fn outcome_of(&self, formula: Formula, wanted: Formula) -> Vec<(u32, bool)> {
        let other = if wanted == Formula::ALWAYS { Formula::NEVER } else { Formula::ALWAYS };
        let mut from: FxHashMap<Formula, (Formula, u32, bool)> = FxHashMap::default();
        let mut open = VecDeque::from([formula]);
        while let Some(here) = open.pop_front() {
            if here == wanted {
                let (mut told, mut at) = (Vec::new(), here);
                while let Some((before, variable, value)) = from.get(&at) {
                    told.push((*variable, *value));
                    at = *before;
                }
                told.reverse();
                return told;
            }
            let Some(node) = self.look(here) else { continue };
            for (next, value) in [(node.if_false, false), (node.if_true, true)] {
                if next != other && next != formula {
                    from.entry(next).or_insert_with(|| {
                        open.push_back(next);
                        (here, node.variable, value)
                    });
                }
            }
        }
        Vec::new()
    }

    fn look(&self, formula: Formula) -> Option<Node> {
        self.nodes.get((formula.0 as usize).checked_sub(2)?).copied()
    }

    fn node(&mut self, node: Node) -> Formula {
        if node.if_false == node.if_true {
            return node.if_false;
        }
        if node.if_false == Formula::UNKNOWN || node.if_true == Formula::UNKNOWN {
            return Formula::UNKNOWN;
        }
        if let Some(known) = self.known.get(&node) {
            return *known;
        }
        let place = self.nodes.len() + 2;
        if place > NODES {
            return Formula::UNKNOWN;
        }
        let formula = Formula(u32::try_from(place).unwrap_or(u32::MAX));
        self.nodes.push(node);
        self.known.insert(node, formula);
        formula
    }

    fn apply(&mut self, operation: Operation, a: Formula, b: Formula) -> Formula {
        if a == Formula::UNKNOWN || b == Formula::UNKNOWN {
            return Formula::UNKNOWN;
        }
        let mut done = FxHashMap::default();
        self.step(operation, a, b, &mut done)
    }

    /// The depth is bounded by the number of steps.
    fn step(
        &mut self,
        operation: Operation,
        a: Formula,
        b: Formula,
        done: &mut FxHashMap<(Formula, Formula), Formula>,
    ) -> Formula {
        let simple = match (operation, a, b) {
            (Operation::And, Formula::NEVER, _) | (Operation::And, _, Formula::NEVER) => Some(Formula::NEVER),
            (Operation::And, Formula::ALWAYS, x) | (Operation::And, x, Formula::ALWAYS) => Some(x),
            (Operation::Or, Formula::ALWAYS, _) | (Operation::Or, _, Formula::ALWAYS) => {
                Some(Formula::ALWAYS)
            }
            (Operation::Or, Formula::NEVER, x) | (Operation::Or, x, Formula::NEVER) => Some(x),
            (Operation::Without, Formula::NEVER, _) | (Operation::Without, _, Formula::ALWAYS) => {
                Some(Formula::NEVER)
            }
            (Operation::Without, x, Formula::NEVER) => Some(x),
            (Operation::And | Operation::Or, x, y) if x == y => Some(x),
            (Operation::Without, x, y) if x == y => Some(Formula::NEVER),
            _ => None,
        };
        if let Some(simple) = simple {
            return simple;
        }
        if let Some(known) = done.get(&(a, b)) {
            return *known;
        }
        if done.len() >= STEPS {
            return Formula::UNKNOWN;
        }
        // Entered before it is known, so that the steps on the way down count too.
        done.insert((a, b), Formula::UNKNOWN);
        let (one, two) = (self.look(a), self.look(b));
        let variable = match (one, two) {
            (Some(one), Some(two)) => one.variable.min(two.variable),
            (Some(only), None) | (None, Some(only)) => only.variable,
            (None, None) => return Formula::UNKNOWN,
        };
        let branch = |node: Option<Node>, whole: Formula, value: bool| match node {
            Some(n) if n.variable == variable => {
                if value {
                    n.if_true
                } else {
                    n.if_false
                }
            }
            _ => whole,
        };
        let if_false = self.step(operation, branch(one, a, false), branch(two, b, false), done);
        let if_true = self.step(operation, branch(one, a, true), branch(two, b, true), done);
        let formula = self.node(Node { variable, if_false, if_true });
        done.insert((a, b), formula);
        formula
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(logic: &Logic, formula: Formula, outcome: &[bool]) -> bool {
        let mut at = formula;
        while let Some(node) = logic.look(at) {
            at = if outcome[node.variable as usize] { node.if_true } else { node.if_false };
        }
        at == Formula::ALWAYS
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn formulas_mean_what_they_say(steps in proptest::collection::vec((0_u8..4, 0_usize..32, 0_usize..32), 1..24)) {
            let mut logic = Logic::default();
            let mut formulas: Vec<Formula> = (0..4).map(|v| logic.is_true(v)).collect();
            let mut tables: Vec<u16> = (0..4_u32)
                .map(|v| (0..16_u32).filter(|o| o >> v & 1 == 1).fold(0_u16, |t, o| t | 1 << o))
                .collect();
            for (what, a, b) in steps {
                let (a, b) = (a % formulas.len(), b % formulas.len());
                let (fa, fb, ta, tb) = (formulas[a], formulas[b], tables[a], tables[b]);
                formulas.push(match what {
                    0 => logic.and(fa, fb),
                    1 => logic.or(fa, fb),
                    2 => logic.without(fa, fb),
                    _ => logic.not(fa),
                });
                tables.push(match what { 0 => ta & tb, 1 => ta | tb, 2 => ta & !tb, _ => !ta });
            }
            for (formula, table) in formulas.iter().zip(&tables) {
                for o in 0..16_usize {
                    let outcome: Vec<bool> = (0..4).map(|v| o >> v & 1 == 1).collect();
                    prop_assert_eq!(holds(&logic, *formula, &outcome), table >> o & 1 == 1);
                }
                prop_assert_eq!(*formula == Formula::NEVER, *table == 0);
                prop_assert_eq!(*formula == Formula::ALWAYS, *table == u16::MAX);
                let mut outcome = [false; 4];
                for (variable, value) in logic.outcome_of(*formula, Formula::ALWAYS) {
                    outcome[variable as usize] = value;
                }
                prop_assert!(*table == 0 || holds(&logic, *formula, &outcome));
            }
        }
    }

    #[test]
    fn what_grows_too_large_is_unknown() {
        let mut logic = Logic::default();
        let mut any = Formula::NEVER;
        for variable in 0..10_000 {
            let one = logic.is_true(variable);
            any = logic.or(any, one);
        }
        assert_eq!(any, Formula::UNKNOWN);
        assert_eq!(logic.and(any, Formula::NEVER), Formula::NEVER);
        assert_eq!(logic.or(Formula::ALWAYS, any), Formula::ALWAYS);
        assert!(!logic.not(any).can_hold());
    }
}
