//! The renderers of diagnostics: what a person sees, source beside outcome, in `snapshots/diag/`.

use normc::base::{FileId, SourceFile, SourceMap, Span};
use normc::diag::{Code, Diagnostic, Severity, Style, human, short};

use crate::support::snapshots;

/// One source text and the diagnostics about it.
struct Scene {
    sources: SourceMap,
    file: FileId,
    text: String,
}

impl Scene {
    fn new(text: &str) -> Self {
        let mut sources = SourceMap::default();
        let file = sources.add(SourceFile::new("plans/plan.nc", text));
        Self { sources, file, text: text.to_owned() }
    }

    /// The span of the `nth` (from 0) place where `piece` stands.
    fn span(&self, piece: &str, nth: usize) -> Span {
        let (at, _) = self.text.match_indices(piece).nth(nth).expect("the piece stands in the text");
        Span::new(self.file, at, at + piece.len())
    }

    fn bytes(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    /// Source beside outcome, in one text.
    fn page(&self, diagnostics: &[Diagnostic], style: &Style) -> String {
        let mut page =
            format!("SOURCE\n{}\nOUTCOME\n", self.text.escape_debug().to_string().replace("\\n", "\\n\n"));
        for diagnostic in diagnostics {
            page.push_str(&human(diagnostic, &self.sources, style));
            page.push('\n');
        }
        page.push_str("SHORT\n");
        for diagnostic in diagnostics {
            page.push_str(&short(diagnostic, &self.sources));
            page.push('\n');
        }
        page
    }
}

fn check(name: &str, page: &str) {
    snapshots("diag").bind(|| insta::assert_snapshot!(name, page));
}

#[test]
fn a_missing_value_with_a_near_name() {
    let scene =
        Scene::new(":<:({sum})\n    <= ::(add {1} and {2})\n    <- {total}<:{1}>\n    <- {totals}<:{2}>\n");
    let diagnostic = Diagnostic::at(
        Code::NC081,
        scene.span("{total}", 0),
        "concept `{total}` is used but never given a value",
    )
    .label("needed here")
    .also(scene.span("{totals}", 0), "did you mean `{totals}`?")
    .help("add a line that infers `{total}`, or mark it as an input");
    check("near_name", &scene.page(&[diagnostic], &Style::PLAIN));
}

#[test]
fn tabs_wide_characters_and_combining_marks() {
    let scene = Scene::new(
        "{结果} | 1. imperative\n\t<= ::(把 {1} 加 {2})\n\t<-\t{数字}<:{1}>\n    <- {e\u{301}te\u{301}}<:{2}>\n",
    );
    let wide =
        Diagnostic::at(Code::NC081, scene.span("{数字}", 0), "value `{数字}` is never given").label("needed");
    let marks = Diagnostic::at(Code::NC036, scene.span("{e\u{301}te\u{301}}", 0), "near `{ete}`")
        .label("letters with marks")
        .also(scene.span("加", 0), "a wide character");
    check("tabs_cjk_marks", &scene.page(&[wide, marks], &Style::PLAIN));
}

#[test]
fn line_ends_of_every_kind() {
    let scene = Scene::new("{a}\r\n    <= $.({b})\r    <- {b}\u{c}c}\n    <- {c}\u{2028}{d}\r\n");
    let dollar =
        Diagnostic::at(Code::NC050, scene.span("{b}", 0), "`{b}` is no value here").label("after CRLF");
    let cr = Diagnostic::at(Code::NC018, scene.span("{b}", 1), "words after `{b}`").label("after a lone CR");
    let feed =
        Diagnostic::at(Code::NC018, scene.span("{d}", 0), "`{d}` follows").label("no line end before it");
    check("line_ends", &scene.page(&[dollar, cr, feed], &Style::PLAIN));
}

#[test]
fn ends_of_files_and_empty_files() {
    let scene = Scene::new("{a}\n    <= $.(");
    let end = scene.text.len();
    let at_end =
        Diagnostic::at(Code::NC013, scene.bytes(end, end), "bracket not closed").label("`)` is missing");
    let beyond =
        Diagnostic::at(Code::NC013, scene.bytes(end + 5, end + 50), "bracket not closed").label("beyond");
    let after = Scene::new("{a}\n");
    let last_line = Diagnostic::at(Code::NC002, after.bytes(4, 4), "no plan in the file");
    let empty = Scene::new("");
    let nothing =
        Diagnostic::at(Code::NC002, empty.bytes(0, 0), "no plan in the file").help("write a concept line");
    let page = [
        scene.page(&[at_end, beyond], &Style::PLAIN),
        after.page(&[last_line], &Style::PLAIN),
        empty.page(&[nothing], &Style::PLAIN),
    ]
    .join("\n");
    check("file_ends", &page);
}

#[test]
fn places_far_apart_and_over_several_lines() {
    let lines: Vec<String> = (1..=30).map(|n| format!("    <- {{value {n}}}")).collect();
    let scene = Scene::new(&format!("{{root}}\n    <= ::(\n      a {{1}}\n      )\n{}\n", lines.join("\n")));
    let body = scene.text.find("::(").unwrap();
    let close = scene.text.find("      )").unwrap() + "      )".len();
    let far = Diagnostic::at(Code::NC058, scene.bytes(body, close), "two values on one slot")
        .label("one slot")
        .also(scene.span("{value 3}", 0), "first")
        .also(scene.span("{value 27}", 0), "second");
    let whole = Diagnostic::at(Code::NC082, scene.bytes(0, scene.text.len()), "nobody uses this");
    check("far_apart", &scene.page(&[far, whole], &Style::PLAIN));
}

#[test]
fn without_a_place_only_headline_and_help() {
    let sources = SourceMap::default();
    let error = Diagnostic::new(Code::NC103, "inference 1.2 names `{sums}`, which no concept entry has")
        .help("did you mean `{sum}`?");
    let note =
        Diagnostic::new(Code::NC205, "kept result was computed from other inputs").severity(Severity::Info);
    let page: Vec<String> =
        [error, note].iter().map(|diagnostic| human(diagnostic, &sources, &Style::PLAIN)).collect();
    check("no_place", &page.join("\n"));
}

#[test]
fn places_in_another_file_become_addresses() {
    let mut sources = SourceMap::default();
    let plan = sources.add(SourceFile::new("plan.nc", "{a}\n    <- {b}\n"));
    let inputs = sources.add(SourceFile::new("inputs.json", "{\n  \"{c}\": 1\n}\n"));
    let diagnostic =
        Diagnostic::at(Code::NC111, Span::new(inputs, 4, 9), "input `{c}` is no concept of the plan")
            .label("unknown")
            .also(Span::new(plan, 11, 14), "near name")
            .help("write `{b}`");
    check("other_file", &human(&diagnostic, &sources, &Style::PLAIN));
}

#[test]
fn ascii_and_colour_by_argument() {
    let scene = Scene::new("{数}\n    <= across[{数}]\u{1b}[2J\n");
    let diagnostic = Diagnostic::at(Code::NC049, scene.span("across", 0), "misspelt operator `across`")
        .label("no such operator")
        .help(
            "write `&across`, which collects the values it names into one flat list, in the order they stand",
        );
    let ascii = Style { width: 60, color: false, unicode: false };
    check("ascii", &scene.page(std::slice::from_ref(&diagnostic), &ascii));

    let colour = human(&diagnostic, &scene.sources, &Style { color: true, ..Style::PLAIN });
    assert!(colour.contains("\u{1b}["), "colour is asked for");
    assert!(!colour.contains("\u{1b}[2J"), "the user's text never reaches the terminal as a command");
    let plain = human(&diagnostic, &scene.sources, &Style::PLAIN);
    assert!(!plain.contains('\u{1b}'));
}

#[test]
fn huge_lines_and_many_labels_stay_small() {
    let text = format!("{}{{x}}{}\n{}\n", "宽".repeat(300_000), "y".repeat(300_000), "z".repeat(500_000));
    let scene = Scene::new(&text);
    let mut diagnostic = Diagnostic::at(Code::NC018, scene.span("{x}", 0), "k".repeat(900_000)).label("here");
    for nth in 0..500 {
        let at = scene.text.len() - 400_000 + nth * 700;
        diagnostic = diagnostic.also(scene.bytes(at, at + 1), "there");
    }
    let drawn = human(&diagnostic, &scene.sources, &Style::PLAIN);
    assert!(drawn.len() < 20_000, "{} bytes", drawn.len());
    assert!(drawn.contains("{x}") && drawn.contains("here"), "the underlined text is shown: {drawn}");
    assert!(drawn.contains("plans/plan.nc:1:300001"), "the address is the one in the file: {drawn}");
    assert!(drawn.contains("and 489 more places"), "{drawn}");
}

proptest::proptest! {
    /// Whatever the text and wherever the spans: no panic, and the address of the primary label is in the picture.
    #[test]
    fn any_span_of_any_text_can_be_drawn(
        text in "([\\t\\r\\n{}<>a-c数\u{301}\u{200b}\u{1f600}\u{7}]|\\PC){0,80}",
        spans in proptest::collection::vec((0usize..120, 0usize..120), 1..5),
        unicode: bool,
        color: bool,
    ) {
        let scene = Scene::new(&text);
        let floor = |mut at: usize| {
            while at < text.len() && !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let mut spans = spans.into_iter().map(|(a, b)| scene.bytes(floor(a.min(b)), floor(a.max(b))));
        let first = spans.next().expect("at least one");
        let mut diagnostic = Diagnostic::at(Code::NC019, first, "not understood").label("this");
        for span in spans {
            diagnostic = diagnostic.also(span, "that");
        }
        let drawn = human(&diagnostic, &scene.sources, &Style { width: 80, color, unicode });
        let (_, start, _) = scene.sources.resolve(first).expect("the file is in the map");
        let address = format!("plans/plan.nc:{}:{}", start.line, start.column + 1);
        proptest::prop_assert!(drawn.contains(&address), "{address} not in {drawn}");
        proptest::prop_assert!(drawn.contains("this"), "{drawn}");
    }
}
