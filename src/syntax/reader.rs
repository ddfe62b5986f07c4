//! Turns one concept text into its typed form: picks the rule by the class of the line, and collects what is wrong.

use std::sync::Arc;

use pest::iterators::Pair;

use crate::diag::Code;

use super::brackets::{MAX_DEPTH, mask};
use super::expr::{Concept, Expr, Part, Problem, ValueKind};
use super::grammar::{Rule, read};

/// Open brackets reported of one text.
const MAX_UNCLOSED: usize = 4;

/// The classes of lines that differ in what is tried first (language spec, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// `<=` lines: operations first.
    Function,
    /// All others: values first.
    Value,
}

/// Reads a concept text: blanks collapsed, no annotations.
pub(super) fn concept(text: &str, class: Class) -> Concept {
    if text.is_empty() {
        return bare(Expr::Empty, Vec::new());
    }
    let masked = mask(text);
    let whole = Part::new(0, text.len());
    if masked.too_deep {
        let mut reader = Reader::new(text, text);
        reader.problem(
            Code::NC019,
            whole,
            format!("brackets are nested more than {MAX_DEPTH} deep"),
            Some("give the inner parts names of their own".to_owned()),
        );
        reader.make_error();
        return bare(Expr::Informal, reader.problems);
    }
    let mut reader = Reader::new(text, &masked.text);
    let mut concept = reader.concept(whole, class);
    let operation = !matches!(concept.expr, Expr::Value(_) | Expr::Informal | Expr::Empty);
    // What is unread because of an open bracket is said once, at the bracket.
    let open = |p: &Part| masked.unclosed.iter().any(|at| p.start as usize <= *at && *at < p.end as usize);
    reader.problems.retain(|p| p.code != Code::NC019 || !open(&p.part));
    for at in masked.unclosed.iter().take(MAX_UNCLOSED) {
        let bracket = text.get(*at..at + 1).unwrap_or("(");
        let closer = match bracket {
            "(" => ")",
            "[" => "]",
            _ => "}",
        };
        reader.not_closed(Part::new(*at, at + 1), bracket, closer);
        if let ([_], Some(last)) = (masked.unclosed.as_slice(), reader.problems.last_mut()) {
            last.replacement = closing_place(text, *at, closer, class);
        }
        // Arguments are needed, and a name that ends nowhere is none.
        if operation || matches!(concept.expr, Expr::Informal) {
            reader.make_error();
        }
    }
    concept.problems = reader.problems;
    concept
}

/// Where the only open bracket of a text is certainly to be closed, with what: the text then reads without a fault,
/// and nothing between the brackets could as well stand behind them.
fn closing_place(text: &str, at: usize, closer: &str, class: Class) -> Option<(Part, String)> {
    let mut depth = 0usize;
    let enclosing = text.char_indices().filter(|(i, _)| *i > at).find(|(_, c)| match c {
        '(' | '[' | '{' => {
            depth += 1;
            false
        }
        ')' | ']' | '}' => match depth.checked_sub(1) {
            Some(less) => {
                depth = less;
                false
            }
            None => true,
        },
        _ => false,
    });
    let end = enclosing.map_or(text.len(), |(i, _)| i);
    let inside = text.get(at + 1..end)?.trim_end_matches(' ');
    let place = at + 1 + inside.len();
    let closed = concept(&format!("{}{closer}{}", text.get(..place)?, text.get(place..)?), class);
    let reads = closed.problems.is_empty() && closed.tail.is_none();
    let certain = match (closer, &closed.expr) {
        (_, Expr::Informal | Expr::Empty) => false,
        // A clause at the end of a body may be a truth assertion behind it.
        (")", Expr::Value(_)) => at == 0 && closed.wrapped && enclosing.is_none(),
        (")", _) => {
            let clause = inside.ends_with('>')
                && !inside.rsplit_once('<').is_some_and(|(_, clause)| clause.starts_with('$'));
            enclosing.is_none() && !clause
        }
        (_, Expr::Semantic(_) | Expr::Input(_)) => false,
        _ => {
            !inside.is_empty()
                && !inside.contains(['<', '>', '*', '?', '@', '(', ')', '[', ']', '{', '}', ';', ',', ':'])
        }
    };
    (reads && certain).then(|| (Part::new(place, place), closer.to_owned()))
}

fn bare(expr: Expr, problems: Vec<Problem>) -> Concept {
    Concept { expr, wrapped: false, suffixes: Vec::new(), tail: None, problems }
}

/// The state of reading one text. Parts of the text are read by further calls of the grammar, so recursion is
/// bounded by the depth of brackets.
pub(super) struct Reader<'a> {
    /// The text as it is.
    pub(super) text: &'a str,
    /// The same with only paired brackets.
    masked: &'a str,
    pub(super) problems: Vec<Problem>,
    /// Inside names, where spelling is text and nothing is wrong with it.
    quiet: u32,
}

/// A pair of the grammar with the place where its text starts.
#[derive(Debug, Clone)]
pub(super) struct Piece<'a> {
    pair: Pair<'a, Rule>,
    base: usize,
}

impl<'a> Piece<'a> {
    pub(super) fn rule(&self) -> Rule {
        self.pair.as_rule()
    }

    pub(super) fn part(&self) -> Part {
        let span = self.pair.as_span();
        Part::new(self.base + span.start(), self.base + span.end())
    }

    pub(super) fn children(&self) -> impl Iterator<Item = Piece<'a>> + use<'a> {
        let base = self.base;
        self.pair.clone().into_inner().map(move |pair| Piece { pair, base })
    }

    pub(super) fn child(&self) -> Option<Piece<'a>> {
        self.children().next()
    }

    /// The first child of a rule.
    pub(super) fn find(&self, rule: Rule) -> Option<Piece<'a>> {
        self.children().find(|c| c.rule() == rule)
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, masked: &'a str) -> Self {
        Self { text, masked, problems: Vec::new(), quiet: 0 }
    }

    /// Reads a part of the text as a rule.
    pub(super) fn read(&self, rule: Rule, part: Part) -> Option<Vec<Piece<'a>>> {
        let text = self.masked.get(part.start as usize..part.end as usize)?;
        let base = part.start as usize;
        Some(read(rule, text)?.map(|pair| Piece { pair, base }).collect())
    }

    /// The text of a part, trimmed.
    pub(super) fn slice(&self, part: Part) -> &'a str {
        self.text.get(part.start as usize..part.end as usize).unwrap_or("").trim_matches(' ')
    }

    /// The text of a part as an owned name.
    pub(super) fn name(&self, part: Part) -> Arc<str> {
        Arc::from(self.slice(part))
    }

    /// The part without blanks at its ends.
    pub(super) fn trimmed(&self, part: Part) -> Part {
        let text = self.text.get(part.start as usize..part.end as usize).unwrap_or("");
        let left = text.trim_start_matches(' ');
        let start = part.start as usize + text.len() - left.len();
        Part::new(start, start + left.trim_end_matches(' ').len())
    }

    /// The number a part holds; none when it is too large.
    pub(super) fn number(&self, part: Part) -> Option<u32> {
        self.slice(part).parse().ok()
    }

    pub(super) fn problem(&mut self, code: Code, part: Part, message: String, help: Option<String>) {
        if self.quiet == 0 {
            self.problems.push(Problem { code, error: false, part, message, help, replacement: None });
        }
    }

    /// A problem that an exchange of its place certainly mends.
    pub(super) fn misspelt(&mut self, code: Code, part: Part, message: String, write: &str) {
        if self.quiet == 0 {
            let help = Some(format!("write `{write}`"));
            let replacement = Some((part, write.to_owned()));
            self.problems.push(Problem { code, error: false, part, message, help, replacement });
        }
    }

    fn not_closed(&mut self, place: Part, bracket: &str, closer: &str) {
        let help = Some(format!("add the missing `{closer}`, before any `|`"));
        self.problem(Code::NC013, place, format!("bracket `{bracket}` is not closed"), help);
    }

    fn make_error(&mut self) {
        if let Some(last) = self.problems.last_mut() {
            last.error = true;
        }
    }

    /// Runs without noting problems.
    pub(super) fn quietly<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        self.quiet += 1;
        let result = run(self);
        self.quiet -= 1;
        result
    }

    fn concept(&mut self, part: Part, class: Class) -> Concept {
        let rule = match class {
            Class::Function => Rule::functional,
            Class::Value => Rule::valueline,
        };
        let Some(pieces) = self.read(rule, part) else { return bare(Expr::Informal, Vec::new()) };
        let Some((head, rest)) = pieces.split_first() else { return bare(Expr::Informal, Vec::new()) };
        match head.rule() {
            Rule::wrapped => self.wrapped(head, part),
            Rule::words_after => {
                self.words_after(head);
                bare(Expr::Informal, Vec::new())
            }
            Rule::unknown_operator => {
                self.unknown_operator(head);
                bare(Expr::Informal, Vec::new())
            }
            Rule::value => bare(Expr::Value(self.value(head)), Vec::new()),
            _ => {
                let mut concept = bare(self.operation(head), Vec::new());
                for piece in rest {
                    match piece.rule() {
                        Rule::tail => {
                            let place = self.trimmed(piece.part());
                            concept.tail = Some(place);
                            self.unread_tail(place);
                        }
                        Rule::EOI => {}
                        _ => concept.suffixes.extend(self.suffix(piece)),
                    }
                }
                concept
            }
        }
    }

    /// `( .. )`: what is inside decides; a sentence inside means that the parentheses belonged to something else.
    fn wrapped(&mut self, piece: &Piece<'a>, whole: Part) -> Concept {
        let inner = piece.find(Rule::paren).and_then(|p| p.child()).map(|i| self.trimmed(i.part()));
        let Some(inner) = inner else { return bare(Expr::Informal, Vec::new()) };
        let noted = self.problems.len();
        let mut concept = self.concept(inner, Class::Value);
        let stays = !matches!(concept.expr, Expr::Informal | Expr::Empty);
        if stays || inner.start == inner.end {
            concept.wrapped = true;
            for suffix in piece.children().filter(|c| c.rule() != Rule::paren) {
                concept.suffixes.extend(self.suffix(&suffix));
            }
            return concept;
        }
        let asserted = self.read(Rule::functional, whole);
        if let Some(head) = asserted.as_ref().and_then(|p| p.first()).filter(|p| p.rule() == Rule::operation)
        {
            self.problems.truncate(noted);
            return bare(self.operation(head), Vec::new());
        }
        concept.wrapped = true;
        concept
    }

    fn words_after(&mut self, piece: &Piece<'a>) {
        let Some(words) = piece.find(Rule::trailing_words) else { return };
        let head = Part { start: piece.part().start, end: words.part().start };
        let place = self.trimmed(words.part());
        self.problem(
            Code::NC018,
            place,
            format!("words after the closed concept `{}`", shorten(self.slice(head))),
            Some("move the words inside the brackets, or behind a `|`".to_owned()),
        );
    }

    fn unknown_operator(&mut self, piece: &Piece<'a>) {
        let place = piece.find(Rule::operator_head).map_or(piece.part(), |h| h.part());
        let written = self.slice(place).to_owned();
        let near = super::operators::nearest(&written);
        self.problem(
            Code::NC063,
            place,
            format!("unknown operator `{}`", shorten(&written)),
            Some(match near {
                Some(operator) => format!("did you mean `{operator}`?"),
                None => {
                    "operators are `*every`, `$.`, `$+`, `$=`, `$%`, `$-`, `&in`, `&across`, `@if`, `@if!`, `@after`"
                        .to_owned()
                }
            }),
        );
    }

    fn unread_tail(&mut self, place: Part) {
        let open_body = self.slice(place).starts_with('<') && !self.slice(place).contains('>');
        if open_body {
            self.not_closed(Part { start: place.start, end: place.start + 1 }, "<", ">");
            return self.make_error();
        }
        let rest = shorten(self.slice(place));
        let help = "remove it, or put it inside the brackets before it".to_owned();
        self.problem(
            Code::NC019,
            place,
            format!("the rest `{rest}` of the operation is not understood"),
            Some(help),
        );
    }

    /// Reports arguments that fit nothing.
    pub(super) fn unread_arguments(&mut self, place: Part, expected: &str) {
        let shown = shorten(self.slice(place));
        let message = format!("the arguments `{shown}` are not understood");
        self.problem(Code::NC019, place, message, Some(format!("write {expected}")));
    }
}

/// A text cut to a length that fits a headline.
pub(super) fn shorten(text: &str) -> String {
    const LIMIT: usize = 60;
    let line = text.replace(|c: char| c.is_control(), "\u{fffd}");
    match line.char_indices().nth(LIMIT) {
        Some((at, _)) => format!("{}..", line.get(..at).unwrap_or("")),
        None => line,
    }
}

/// The kind of a head rule.
pub(super) fn value_kind(rule: Rule) -> Option<ValueKind> {
    match rule {
        Rule::object => Some(ValueKind::Object),
        Rule::relation => Some(ValueKind::Relation),
        Rule::subject_name => Some(ValueKind::Subject),
        Rule::proposition | Rule::proposition_arg => Some(ValueKind::Proposition),
        _ => None,
    }
}
