//! The grammar pinned: source text beside the typed outcome for every construct, whole trees, bad lines with their
//! diagnostics; and that reading is total on any text.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files, and fails by panicking"
)]

mod show;
mod total;

use std::fmt::Write;
use std::path::Path;

use normc::base::{FileId, SourceFile};
use normc::diag::Diagnostic;
use normc::syntax::{AnnotationKind, Dialect, Expr, parse};

use crate::corpus;
use crate::parse_vectors::node_json;
use crate::support::snapshots;

// ---- tables of constructs --------------------------------------------------------------------------------------

#[test]
fn values() {
    table(
        "values",
        &[
            "<- {number pair}",
            "<- [all {unit place value} of numbers]",
            "<- <all number is 0>",
            "<- :Trader:",
            "<- {1.1_instruction_block.md}",
            "<- {SMA(20) > SMA(50)}",
            "<- {simulated data: price data}",
            "<- {prompts/[__flow_index__]*.md}",
            "<- {数字：一}?",
            "<- {phase_name: \"phase 1, {a}\"}<:{2}>",
            "<- [{a}, {b}]",
            "<- [{a} and {b}<$={2}>]",
            "<- [{a}<*1>/{b}<*2>]<{*2}:{1}>",
            "<- [<yes>, <no>]",
            "<- +[{a}]",
            "<- [{1}<:{1}>, {2}<:{2}>]@1",
            "<- <a>5>",
            "<- <{draft} is complete>",
            "<- <all done><$={1}><:{2}>",
            ":<:({result})",
            ":<:{result}",
            ":<: (({result}))<$={1}>",
            ":>:({question})",
            "{result}",
        ],
    );
}

#[test]
fn suffixes() {
    table(
        "suffixes",
        &[
            "<- {sum}?",
            "<- {number pair}*1*2",
            "<- {sum}?*1<:{2}>",
            "<- {position}*",
            "<- {carry}*-1",
            "<- {carry}*0",
            "<- {a}@3",
            "<- {a}<$={2}>",
            "<- {a}<$({2})=>",
            "<- {a}<$={#}>",
            "<- {a}<$={London}>",
            "<- [messages]<$({appended messages})=>",
            "<- {a}<$(<done>)=>",
            "<- {a}<:{1}>",
            "<- {a}<:{prompt}>",
            "<- {a}<:{#}>",
            "<- {a}<:{2+}>",
            "<- {a}<$({number})%>",
            "<- {a}<$({number})%_>",
            "<- {a}<$(some words)%>",
            "<* {item}<$([items])*>",
            "<* {item}<$([items])*-2>",
            "<* {item}<$([items])>",
            "<* {item}<$([items])",
            "<- {a}<$=>",
            "<- {a}<${_}=>",
            "<- {a}<*2>",
            "<- {a.json}<$%={file_location}>",
            "<- {a.json}<$%{file_location}>",
            "<- {files}<[{a}:{1}, {b}:{2+}]>",
            "<- {files}<[{a}:{1}<$%[{x}]>]>",
            "<- {a}<$!{x}>",
            "<- {a}<--<!_>>",
            "<- {a}<just a remark>",
            "<- {a}<$?oops>",
        ],
    );
}

#[test]
fn looping() {
    table(
        "looping",
        &[
            "<= *every({number pair})%:[{number pair}]@(1)^[{carry-over number}<*1>]",
            "<= *every({number pair}*1)%:[{number}]@(2)",
            "<= *every([all {a}]<$={1}>)@(1)",
            "<= *every[{indicator}?]@(1)",
            "<= *every({period})",
            "<= *every({x})%:(axis)@1",
            "<= *every({digit position})%:[{digit position}].[{digit pairs}?]^({digit position}*)",
            "<= *every({number})%:[{number}]@[{index}^1]",
            "<= *every({b})^[{c}<*1>;{d}<*2>]",
            "<= *every({b})^({c})",
            "<= *. %>([items]) %<({result}) %:({item}) %@(1)",
            "<= *. %>([items]) %^({carry}<$({carry})*-2>)",
            "<= *. %>([items]) %^({carry}*-1)",
            "<= *every(the items)",
            "<= *every({a}) and more",
        ],
    );
}

#[test]
fn assigning() {
    table(
        "assigning",
        &[
            "<= $.({remainder})",
            "<= $.({error};{new user account})",
            "<= $.([{a}, {b}])",
            "<= $.({a}<$={#}>)",
            "<= $.([{index} and {digit}]*)",
            "<= $.({a}:{b})",
            "<= $.",
            "<= $. %>({investment decision})",
            "<= $. %>[{a}, {b}]",
            "<= $. %<[{option A}, {option B}]",
            "<= $+({item}:{list})%:[{list}]",
            "<= $+ %>([messages]) %<({message}) %:({message})",
            "<= $+ %<({results}) %^({new result}*-1)",
            "<= $=({setbacks}:{harm})",
            "<= $= %>({a})",
            "<= $=",
            "<= $%",
            "<= $% %>([])",
            "<= $% %>([\"a\", \"b\"]) %:([axis])",
            "<= $% %>([[1, 2], [3, 4]])",
            "<= $% %>(%{file_location}a1(x.md))",
            "<= $% %>([%(\"text\")])",
            "<= $% %>(plain)",
            "<= $- %>([signals]) %^(<$*0>)",
            "<= $- %>([signals]) %^(<$*-1>)",
            "<= $- %>([signals]) %^(<$({key})%>)",
            "<= $- %>([<status>]) %^(<$*#>) %:(<status>)",
            "<= $::",
            "<= $::.({1.1_instruction_block.md})",
            "<- $.({x})",
            "<= $:.({x})",
            "<= $.({residual}*1))",
            "<= $={1}",
            "<= $.({a}, what)",
        ],
    );
}

#[test]
fn grouping() {
    table(
        "grouping",
        &[
            "<= &across({unit place value}:{number pair}*1)",
            "<= &across({carry-over number}*1:{carry-over number}*1<--<!_>>)",
            "<= &across({a})",
            "<= &across",
            "<= &across[{a}?, {b}?:{c}?]",
            "<= &across+[{#}:{#}]",
            "<= &in({index}*;{digit}*)",
            "<= &in({old};{new})%:[{old}]",
            "<= &in[{a}?:_, {b}:_]",
            "<= &in",
            "<= &and({a};{b})",
            "<= &[{}] %>[ {a}, {b}] %+(results)",
            "<= &[{}] %>({a}, {b})",
            "<= &[#] %>[<a b>, <c d>] %+({axis})",
            "<= &[#] %>({a}) %:({axis}) %^<$!={x}>",
            "<= &[#] %>({a}) %:({axis}<$!{x}>)",
            "<= &[#] %>[{a}, {b}] %-[[x, y], [z]]",
            "<= across[{a}, {b}]",
            "<= &accross({a})",
        ],
    );
}

#[test]
fn timing() {
    table(
        "timing",
        &[
            "<= @if(<carry-over number is 0>)",
            "<= @if!(<all number is 0>)",
            "<= @if(<a>5>)",
            "<= @if({harmful action})",
            "<= @if({harmful action}!)",
            "<= @if(<accepting someone, even if it is hard>)",
            "<= @if<{gains or losses} is {gains}>",
            "<= @after({number pair to append}<$={1}>)",
            "<= @after()",
            "<= @:'(<signals are neutral>)",
            "<= @:' (<signals are neutral>)",
            "<= @:' %>(<signals are neutral>)",
            "<= @:'",
            "<= @:!(<phase 1 already complete>)",
            "<= @.({x})",
            "<= @. %>({x})",
            "<= @by(:_:)",
            "<= @by(1):({book result})^({1}<:{1}>, {2}<:{2}>)",
            "<= @$+[{1};{2}]",
            "<= @::",
            "<= @after([{carry-over number}*1)",
            "<= @if(it rains)",
        ],
    );
}

#[test]
fn semantic() {
    table(
        "semantic",
        &[
            "<= ::(add {1}<$({number a})%_> and {2}<$({number b})%_> to get {3}?<$({sum})%_>)",
            "<= ::(find {digit in position}? of {position}*)",
            "<= ::{%(direct)}({prompt}<$({p})%>: {1}<$({x})%>; {2+}<$({y})%>)",
            "<= ::{%(python)}<{script}<$({report error})%>>",
            "<= ::{%(direct relation)}({prompt}<$({p})%>)",
            "<= ::{paradigm}({output}<$({dir})%>)",
            "<= :%(composition):(collect {1}<$({a})%>)",
            "<= :%(composition):{paradigm}({1})",
            "<= :App_book:(Book {1}?<$({x})%_> from {2})<$={1}>",
            "<= :%(True):<{1}<$({number})%_> is 0>",
            "<= ::{%(all True)}<{1}<$({number})%_> > 5>",
            "<= ::{ALL(true)}<{individual conditions}>",
            "<= ::<{deep feeling} is towards {target}>",
            "<= ::(validate signal)<ALL True>",
            "<= ::(validate signal) <ALL False>",
            "<= ::(check it)<{ALL True}>",
            "<= ::(it ends)<ALL {current message} True>",
            "<= ::(x)<For Each {signal} True>",
            "<= ::(x) <For Each {signal} where ALL {status_type} False>",
            "<= ::(x)<FOR EACH {a} AND ALL {b} IS TRUE>",
            "<= ::(x)<ALL of them are fine>",
            "<= ::<{q}><ALL True>",
            "<= ({1} is valid)<ALL True>",
            "<= <{ {1}<$({x})%> is valid }>",
            "<= ({do {1}})",
            "<- ::(sell)",
            ":<:(::(Execute NormCode AI Planning))",
            "<= ::()",
            "<= ::(increase {1}?<$({index})%_>) by one)",
            "<= ::(not closed {1}",
            "<= ::<not closed",
        ],
    );
}

#[test]
fn inputs_and_methods() {
    table(
        "inputs",
        &[
            "<= :>:({x})",
            "<= :>:{input text}?()",
            "<= :>:({prompt}<:{normtext}>)",
            "<= :>:{%(file_location)}({prompt}<$({p})%>)",
            "<= :>:({1}?<$={London}>)",
            "<= :>:({1}?<$=:App_book:<$={1}>?>)",
            "<= :>(chat): user gives a new message",
            "<= :>@time:()",
            "<= :<@1:([{period}])",
            "<= :%>(Composition):{paradigm}({prompt}<$({P})%>: {1}<$({x})%>)",
            "<= :%>(Composition):{paradigm}({1}<$({Input})%>)>",
            "<= :_:{judgement breakdown}({1})",
        ],
    );
}

#[test]
fn sentences() {
    table(
        "sentences",
        &[
            "<= for every number in the pair",
            "<- carry-over number is 0?",
            "<= :: understand the canvas command",
            "<= (add this to all on-going messages)",
            "<- Bool.<True><:{1}>",
            "<= 合并所有数字",
            "<^ carry-over with previous value",
            "(OUTPUT) document summary",
            "[1.2.3] (ACTION) is obtained by summarizing",
            "(INPUT 1) raw document",
        ],
    );
}

#[test]
fn annotations() {
    let lines = [
        "{x} | 1.1.2. imperative",
        "{x} |1.1.2",
        "{x} | 1.1. imperative (python)",
        "{x} | 1.1. imperative/simple",
        "{x} | 1.1. io",
        "{x} | ?{flow_index}: 1 | ?{sequence}: assigning",
        "{x} |%{literal<$% file_path>}: a/b.md",
        "{x} |%{parse}:",
        "{x} | /: text with a | pipe",
        "{x} | ?: which one | really",
        "{x} | ...: the source | text",
        "{x} |ref. %(a)=[%(b)=[1, 2]]",
        "{x} |%: 3",
        "{x} |%. \"meaning\"",
        "{x} |?. meaning",
        "{x} |nl. note",
        "{x} |input.",
        "{x} | relation",
        "{x} | ════",
        "{x} /: description",
        "{x} # comment",
        "{x} // comment",
        "{a|b} | ?{k}: [c|d] | e",
        "{x} | %{list}: (a | b | 1.2",
        "<= ::(do (x | ?{sequence}: imperative",
        ":<:({x}) 1. assignment",
    ];
    let mut out = String::new();
    for line in lines {
        let (tree, diagnostics) = parse(FileId(0), line, None);
        writeln!(out, "{line}").unwrap();
        for node in &tree.nodes {
            writeln!(out, "    -> {}", node.text).unwrap();
            for a in node.annotations.iter().chain(&node.leading) {
                writeln!(out, "       {}", annotation(a)).unwrap();
            }
        }
        problems(&mut out, line, &diagnostics);
    }
    pin("annotations", &out);
}

#[test]
fn mistakes() {
    table(
        "mistakes",
        &[
            "-> {x}",
            "=> $.({x})",
            "<=: $.({x})",
            "<== $.({x})",
            "<-: {x}",
            "← {x}",
            ":< ({x})",
            "<= @before({x})",
            "<= @unless(<x>)",
            "<= *Every({x})",
            "<= $({x})",
            "<= &acros({x})",
            "<= @",
            "<=",
            "<-",
            ":<:",
            ":<: ({RSI(14)'s status} in the {period})",
            ":<: {position}\"",
            "%d9f(:<:(::(register)))",
            "<- {a} | ref. %[%{x}%(1)]",
            "<- {a} |ref. [%(a)=[1], %(b)=[2]]",
        ],
    );
}

// ---- whole texts -----------------------------------------------------------------------------------------------

#[test]
fn layout() {
    let plans: &[(&str, &str)] = &[
        ("empty file", ""),
        ("only blanks", "\n   \n"),
        ("prose around a plan", "Version 1\n{x}\n    <= ::(make {x})\nThe end\n"),
        ("root without marker and with children", "the result\n    <= add a and b\n    <- a\n"),
        ("two roots", ":<:({a})\n:<:({b})\n"),
        ("off by one", "{a}\n    <= $.({b})\n     <- {b}\n   <- {c}\n"),
        ("unusual steps", "{a}\n    <- {b}\n        <- {c}\n              <- {d}\n"),
        ("tabs and wide blanks", "{a}\n\t<= $.({b})\n\t<- {b}\n\u{3000}\u{a0}  <- {c}\n"),
        ("line ends", "{a}\r    <= $.({b})\r\n    <- {b}\u{0c}x\u{2028}y\n"),
        ("annotation on the next line", "{a}\n    <= $.({b})\n       | 1.1. assigning\n    <- {b}\n"),
        (
            "text goes on in an open bracket",
            "{a}\n    <= ::(sum {1}\n          and {2}) | 1.1. imperative\n    <- {b}\n",
        ),
        (
            "text goes on in an open angle body",
            "{a}\n    <= ::<most of\n        {x} are fine>  \n    <- {b}\n",
        ),
        ("stray text", "{a}\n    <= $.({b})\n        really\n    <- {b}\n"),
        ("deeper concept without a marker", "{a}\n    <= $.({b})\n    {b}\n    (see below)\n"),
        ("annotation less indented", "{a}\n    <- {b}\n| %{file_location}: a.md\n| heading\n"),
        (
            "comments",
            "/: before\n| heading\n{a}\n    /: of a\n    <- {b} /: of b\n    # of b too\n/: before c\n    <- {c}\n// after all\n",
        ),
        ("mixed spellings", "{a}\n    <= $. %>({b})\n        <= @if(<c>)\n    <- {b}\n"),
        ("loops without numbers", "{a}\n    <= *every({b})\n        <= *every({c})@(1)\n            <= $.\n"),
        ("append the wrong way round", "{list}\n    <= $+({list}:{item})\n    <- {item}\n"),
        (
            "two judgements",
            "<ok>\n    <= ::<fine>\n{x}\n    <= ::<fine>\n    <= ::(fine) | 1.1.2. judgement\n",
        ),
    ];
    let mut out = String::new();
    for (name, text) in plans {
        writeln!(out, "== {name}\n{}", visible(text)).unwrap();
        whole(&mut out, text, None);
        out.push('\n');
    }
    pin("layout", &out);
}

#[test]
fn flat_lines() {
    let plans: &[(&str, &str)] = &[
        (
            "qualifiers",
            "1.output|:<:({a})\n1.1.imperative_::{%(composition)}|<= ({prompt}<$({p})%>: {1})\n1.2.object_%{file_location}:a.md|<- {b}\n",
        ),
        ("markers left out", "1.object|{a}\n1.1.timing| @by(:_:)\n1.2.imperative| {b}\n1.3.object| ::(x)\n"),
        ("missing parent", "1.object|<- {a}\n1.2.1.object|<- {b}\n2.1.object|<- {c}\n"),
        ("index twice", "1.object|<- {a}\n1.1.object|<- {b}\n1.1.object|<- {c}\n"),
        ("number too large", "99999999999.object|<- {a}\n"),
    ];
    let mut out = String::new();
    for (name, text) in plans {
        writeln!(out, "== {name}\n{text}").unwrap();
        whole(&mut out, text, None);
        out.push('\n');
    }
    pin("flat", &out);
}

#[test]
fn declared_indices() {
    let plans: &[(&str, &str)] = &[
        (
            "A with a slip",
            "{a} | 1.\n    <= $.({b}) | 1.1.\n    <- {b} | 1.2.\n    <- {c} | 1.3.\n    <- {d} | 1.5.\n",
        ),
        (
            "B",
            "{a} | 1. assigning\n    <= $.({b})\n    <- {b} | 1.1. imperative\n        <= ::(x)\n    <- {c} | 1.2. imperative\n        <= ::(y)\n",
        ),
        ("C", "{a}\n    <= $.({b}) | 1. assigning\n    <- {b}\n        <= ::(x) | 1.2. imperative\n"),
        (
            "D",
            "{a} | 1.\n    <= $.({b}) | 1.1.\n    <- {b} | 1.1.1.\n    <- {c} | 1.1.2.\n    <- {d} | 1.1.3.\n",
        ),
        ("none", "{a} | 3.\n    <= $.({b}) | 3.7.\n    <- {b} | 9.\n"),
        (
            "sequences",
            "{a} | 1. grouping\n    <= $.({b})\n    <- {b} | 1.2. imperative\n    <- {c} | 1.3. sing\n        <= ::(x)\n",
        ),
    ];
    let mut out = String::new();
    for (name, text) in plans {
        let (tree, diagnostics) = parse(FileId(0), text, None);
        writeln!(out, "== {name}: {:?}\n{text}", tree.index_scheme).unwrap();
        problems(&mut out, text, &diagnostics);
        out.push('\n');
    }
    pin("declared", &out);
}

#[test]
fn trees() {
    let folder = corpus::own_folder();
    let mut files: Vec<String> =
        corpus::plans(&folder).into_iter().filter(|p| p.dialect == "edge").map(|p| p.file).collect();
    files.push("legacy/009_addition_system.nc".to_owned());
    files.push("flat/073_editor_example.nc".to_owned());
    files.push("current/088_canvas_assistant_compiler_pf.ncd".to_owned());
    for file in files {
        let (text, ..) = corpus::read(&folder.join(&file)).unwrap();
        let mut out = String::new();
        let extension = Path::new(&file).extension().and_then(|e| e.to_str()).unwrap_or("");
        whole(&mut out, &text, Dialect::from_extension(extension));
        let stem = Path::new(&file).file_stem().and_then(|s| s.to_str()).unwrap();
        pin(&format!("tree_{stem}"), &out);
    }
}

/// Wrapped lines, CRLF with a byte order mark, tabs and two-column steps change the layout of a plan, not its tree.
#[test]
fn layouts_of_one_plan_give_one_tree() {
    let folder = corpus::own_folder();
    let nodes = |file: &str| {
        let (_, tree, _) = corpus::read(&folder.join(file)).unwrap();
        let plain = |node| {
            let mut json = node_json(node);
            let map = json.as_object_mut().unwrap();
            map.remove("line");
            // The plan ends with data, which the other layouts leave out.
            let hint = |a: &serde_json::Value| a["kind"] == "hint";
            map["annotations"].as_array_mut().unwrap().retain(|a| !hint(a));
            json
        };
        tree.nodes.iter().map(plain).collect::<Vec<_>>()
    };
    let plan = nodes("legacy/009_addition_system.nc");
    for file in ["E01_wrapped.nc", "E02_crlf_bom.nc", "E03_tabs.nc", "E04_two_space.nc"] {
        assert_eq!(nodes(&format!("edge/{file}")), plan, "{file}");
    }
}

/// Everything wrong with the plans of the corpus: a change of the grammar shows here first.
#[test]
fn corpus_diagnostics() {
    let folder = corpus::own_folder();
    let mut out = String::new();
    for plan in corpus::plans(&folder) {
        let (text, tree, diagnostics) = corpus::read(&plan.path).unwrap();
        let sentences = tree.nodes.iter().filter(|n| matches!(n.concept.expr, Expr::Informal)).count();
        writeln!(
            out,
            "{}: {}, {} lines, {sentences} sentences, scheme {:?}",
            plan.file,
            tree.dialect.as_str(),
            tree.nodes.len(),
            tree.index_scheme
        )
        .unwrap();
        let file = SourceFile::new("plan", text.as_str());
        for d in &diagnostics {
            let line = d.primary.as_ref().map_or(0, |p| file.place(p.span.start).line);
            writeln!(out, "    {line}: {} {}", d.code, d.message).unwrap();
        }
    }
    pin("corpus_diagnostics", &out);
}

// ---- how outcomes are shown ------------------------------------------------------------------------------------

fn pin(name: &str, text: &str) {
    snapshots("syntax").bind(|| insta::assert_snapshot!(name, text));
}

/// One line a row, with its outcome and what is wrong.
fn table(name: &str, lines: &[&str]) {
    let mut out = String::new();
    for line in lines {
        let (tree, diagnostics) = parse(FileId(0), line, None);
        writeln!(out, "{line}").unwrap();
        for node in &tree.nodes {
            let marker = if line.starts_with(node.marker.as_str()) { "" } else { node.marker.as_str() };
            writeln!(out, "    -> {marker}{}: {}", node.kind, show::concept(&node.concept)).unwrap();
        }
        problems(&mut out, line, &diagnostics);
    }
    pin(name, &out);
}

/// The whole tree, with annotations and diagnostics.
fn whole(out: &mut String, text: &str, hint: Option<Dialect>) {
    let diagnostics = tree(out, text, hint);
    problems(out, text, &diagnostics);
}

/// The whole tree, with annotations.
pub(crate) fn tree(out: &mut String, text: &str, hint: Option<Dialect>) -> Vec<Diagnostic> {
    let (tree, diagnostics) = parse(FileId(0), text, hint);
    writeln!(out, "-- {}", tree.dialect.as_str()).unwrap();
    for node in &tree.nodes {
        for a in &node.leading {
            writeln!(out, "{:>4} | leading {}", a.line, annotation(a)).unwrap();
        }
        let indent = "  ".repeat(node.depth as usize);
        let heads = node.heads.map_or(String::new(), |h| format!(" heads {}", h.as_str()));
        writeln!(
            out,
            "{:>4} | {indent}{} {} {}{heads}: {}",
            node.line,
            node.flow_index,
            node.marker,
            node.kind,
            show::concept(&node.concept)
        )
        .unwrap();
        for a in &node.annotations {
            writeln!(out, "{:>4} | {indent}    {}", a.line, annotation(a)).unwrap();
        }
    }
    for a in &tree.trailing {
        writeln!(out, "{:>4} | trailing {}", a.line, annotation(a)).unwrap();
    }
    diagnostics
}

pub(crate) fn problems(out: &mut String, text: &str, diagnostics: &[Diagnostic]) {
    let file = SourceFile::new("plan", text);
    for d in diagnostics {
        // One root and no dialect is what a single line is; it says nothing about the construct.
        let span = d.primary.as_ref().unwrap().span;
        let place = file.place(span.start);
        let under = text.get(span.start as usize..span.end as usize).unwrap();
        let help = d.help.as_ref().map_or(String::new(), |h| format!("; {h}"));
        let (code, word) = (d.code, d.severity.word());
        let under = visible(under);
        writeln!(out, "    !! {}:{} `{under}` {word}[{code}] {}{help}", place.line, place.column, d.message)
            .unwrap();
    }
}

fn visible(text: &str) -> String {
    let shown = |c: char| match c {
        '\t' => "→".to_owned(),
        '\r' => "␍".to_owned(),
        '\u{a0}' => "⍽".to_owned(),
        '\u{3000}' => "□".to_owned(),
        '\u{0c}' => "␌".to_owned(),
        '\u{2028}' => "␤".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(shown).collect()
}

fn annotation(a: &normc::syntax::Annotation) -> String {
    let key = a.key.as_ref().map_or(String::new(), |k| format!(" `{k}`"));
    let value = a.value.as_ref().map_or(String::new(), |v| format!(" = {v}"));
    let place = if a.inline || a.kind == AnnotationKind::Text { "" } else { " (own line)" };
    format!("{}{key}{value}{place}", a.kind.as_str())
}
