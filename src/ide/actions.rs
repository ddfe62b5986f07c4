//! Mends that an editor offers: the fixes of diagnostics, and all of them at once.

use crate::base::Span;
use crate::diag::{Code, Edit, mend_all};

use super::analysis::Analysis;

/// A mend of one diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What it does, as an order.
    pub title: String,
    /// The diagnostic it mends.
    pub code: Code,
    /// The place of that diagnostic.
    pub about: Span,
    /// Which of [`Analysis::diagnostics`] it is.
    pub diagnostic: usize,
    /// The edits, which do not overlap.
    pub edits: Vec<Edit>,
}

impl Analysis {
    /// The mends of diagnostics that touch a range.
    pub fn actions(&self, start: u32, end: u32) -> Vec<Action> {
        let mut actions = Vec::new();
        for (i, diagnostic) in self.diagnostics().iter().enumerate() {
            let (Some(label), Some(fix)) = (&diagnostic.primary, &diagnostic.fix) else { continue };
            let touches = label.span.start <= end && start <= label.span.end;
            if touches && fix.edits.iter().all(|edit| edit.span.file == self.file()) {
                actions.push(Action {
                    title: fix.title.clone(),
                    code: diagnostic.code,
                    about: label.span,
                    diagnostic: i,
                    edits: fix.edits.clone(),
                });
            }
        }
        actions
    }

    /// The text with everything mended that can be; none when nothing can.
    pub fn all_mended(&self) -> Option<&str> {
        self.mended.get_or_init(|| self.mend_all()).as_deref()
    }

    fn mend_all(&self) -> Option<String> {
        let again = |text: &str| Self::of(self.name(), text).diagnostics().to_vec();
        let mended = mend_all(self.text(), self.file(), self.diagnostics(), again);
        (mended.applied > 0).then_some(mended.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_operator_is_mended() {
        let text = "{a}\n    <= across[{b}]\n    <- {b}\n";
        let analysis = Analysis::of("a.nc", text);
        let at = text.find("across").unwrap() as u32;
        let actions = analysis.actions(at, at);
        assert_eq!(actions.iter().map(|a| a.code).collect::<Vec<_>>(), [Code::NC049]);
        assert_eq!(analysis.actions(0, 1), []);
        assert_eq!(analysis.all_mended(), Some(text.replace("across", "&across").as_str()));
        assert_eq!(Analysis::of("a.nc", "{a}\n    <= $.({b})\n    <- {b}\n").all_mended(), None);
    }
}
