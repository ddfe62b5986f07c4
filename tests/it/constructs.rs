//! Every construct of the language that real plans hold (language spec, section 14): each is read as what it is, and
//! nothing of it is left over.

use normc::diag::Code;
use normc::syntax::{Expr, Kind, Marker, SuffixKind, parse, read_concept};

/// The kind of an operation or a value read from a text, and what was said about it.
fn kind(marker: Marker, text: &str) -> (String, Vec<Code>, bool) {
    let line = match marker {
        Marker::Function => format!("{{x}}\n    <= {text}\n"),
        _ => format!("{{x}}\n    {marker} {text}\n"),
    };
    let (tree, _) = parse(normc::base::FileId(0), &line, None);
    let node = tree.nodes.get(1).unwrap_or_else(|| panic!("{text}"));
    let codes = node.concept.problems.iter().map(|p| p.code).collect();
    (node.kind.as_str().to_owned(), codes, node.concept.has_unread())
}

#[test]
fn operations() {
    let table: &[(&str, &[&str])] = &[
        (
            "looping.every",
            &[
                "*every({number pair})%:[{number pair}]@(1)^[{carry-over number}<*1>]",
                "*every({number pair}*1)%:[{number}]@(2)",
                "*every[{indicator}?]@(1)",
                "*every({x})%:(axis)@1",
                "*every({digit position})%:[{digit position}].[{digit pairs}?]^({digit position}*)",
                "*every({number})%:[{number}]@[{index}^1]",
                "*every({number pair})%:[{number pair}]@(1)^[{position}<*1>;{carry-over}<*1>]",
                "*. %>([extracted operations]) %<({classification}) %:({operation}) %@(1)",
                "*. %>([items]) %<({result}) %:({item}) %@(1) %^({total}<$({total})*-1>)",
            ],
        ),
        (
            "assigning.specification",
            &[
                "$.({number})",
                "$.",
                "$.({error};{new user account})",
                "$.([{index} and {digit}]*)",
                "$.([all {a}]<$={1}>*1)",
                "$.({a}<$={#}>)",
                "$.({x}:{y})",
                "$. %>({investment decision})",
                "$. %>[{option A}, {option B}]",
            ],
        ),
        (
            "assigning.continuation",
            &[
                "$+({number pair to append}:{number pair})%:[{number pair}]",
                "$+ %>([on-going messages]) %<({current message}) %:({message})",
                "$+ %<({accumulated results}) %^({new result}*-1)",
            ],
        ),
        (
            "assigning.identity",
            &["$=({setbacks}:{harmful action to a person})", "$=", "$= %>({completed .ncd output})"],
        ),
        (
            "assigning.abstraction",
            &["$%", "$% %>([])", "$% %>(%{norm}id(text)) %:([a, b])", "$% %>([[1,2],[3,4]])"],
        ),
        (
            "assigning.selection",
            &[
                "$- %>([<signal status>]) %^(<$*#>) %:(<signal status>)",
                "$- %>({x}) %^(<$*-1>)",
                "$- %>({x}) %^(<$({k})%>)",
            ],
        ),
        ("assigning.nominalization", &["$::", "$::.({1.1_instruction_block.md})"]),
        (
            "grouping.across",
            &[
                "&across({unit place value}:{number pair}*1)",
                "&across({carry-over number}*1:{carry-over number}*1<--<!_>>)",
                "&across({a})",
                "&across({a};{b})",
                "&across",
                "&across[{indicator_1}?, {indicator_2}?:{indicators}?]",
                "&across+[{#}:{#}]",
                "&[#] %>[{quantitative signal}, {narrative signal}] %+(signal)",
                "&[#] %>({a}, {b}) %-[[x], [y]]",
                "&[#] %>({a}) %:({b}) %^<$!={c}>",
            ],
        ),
        (
            "grouping.in",
            &[
                "&in({index}*;{digit}*)",
                "&in({old expression};{new expression})%:[{old expression}]",
                "&in({unit place value}*1:{number})",
                "&in[{indicator}?:_, {bulllish status}:_]",
                "&in[{period}*1; {RSI(14)'s momentum status}]",
                "&in",
                "&and({old expression};{new expression})",
                "&[{}] %>[{result A}, {result B}] %+({results})",
            ],
        ),
        (
            "timing.if",
            &[
                "@if(<all done>)",
                "@if({harmful action})",
                "@if<{gains or losses} is {gains}>",
                "@:'(<c>)",
                "@:' (<c>)",
                "@:' %>(<c>)",
            ],
        ),
        ("timing.if_not", &["@if!(<all number is 0>)", "@if({harmful action}!)", "@:!(<c>)"]),
        (
            "timing.after",
            &["@after({digit sum})", "@after([{position} and {position sum}]*)", "@.({x})", "@. %>({x})"],
        ),
        (
            "timing.by",
            &["@by(:_:)", "@by(:_:)^({deep feeling})", "@by(1):({book result})^({1}<:{1}>, {2}<:{2}>)"],
        ),
        ("timing.sequence", &["@$+[{1};{2}]"]),
        ("timing.action", &["@::"]),
        (
            "imperative",
            &[
                "::(add {1}<$({number a})%_> and {2}<$({number b})%_> to get {3}?<$({sum})%_>)",
                "::({1}<$({number})%> += 1)",
                "::{%(direct)}({prompt}<$({initialization prompt})%>: {1}<$({normtext})%>)",
                ":%(composition):(retrieve price data from market sources)",
                "::{paradigm}({prompt}<$({PromptTemplate})%>; {1}<$({Input})%>)",
                ":Trader:(buy {1})",
            ],
        ),
        (
            "judgement",
            &[
                "::{%(all True)}<{1}<$({number})%_> > 5>",
                "::{ALL(true)}<{individual conditions}>",
                ":%(True):<{1}<$({number})%_> is 0>",
                "::(validate signal)<ALL True>",
                "::(check if phase 1 already complete in progress)<{ALL True}>",
                ":%(composition):({1}<$(<signal status>)%>) <ALL False>",
                "::(the user wants to end the session)<ALL {current message} True>",
                ":%(composition):({1}<$(<signal status>)%>) <For Each {signal} where ALL {status_type} False>",
                "<{signal is valid}>",
                "(validate)<ALL True>",
            ],
        ),
        (
            "input",
            &[
                ":>:({1}?<$=:App_book:<$={1}>?>)",
                ":>:({prompt}<:{normtext}>)",
                ":>:{input text}?()",
                ":>:{%(file_location)}({prompt}<$({location of related files prompt})%>)",
                ":%>(Composition):{paradigm}({prompt}<$({UserPrompt})%>: {1}<$({Input})%>)",
                ":<@1:([{period}])",
                ":>@time:()",
                ":>(chat): user gives a new message",
            ],
        ),
        ("method", &[":_:{judgement breakdown}()"]),
    ];
    let mut wrong = Vec::new();
    let mut total = 0;
    for (expected, texts) in table {
        for text in *texts {
            total += 1;
            let (found, codes, unread) = kind(Marker::Function, text);
            if found != *expected || unread || codes.contains(&Code::NC063) {
                wrong.push(format!("{text}: {found}, {codes:?}"));
            }
        }
    }
    println!("constructs: {total} operations");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn misspelt_and_empty_operations_keep_their_kind() {
    for (text, expected, code) in [
        ("across[{a}, {b}]", "grouping.across", Some(Code::NC049)),
        ("$:.({a})", "assigning.specification", Some(Code::NC049)),
        ("$. %<({final answer})", "assigning.specification", Some(Code::NC047)),
        ("::()", "imperative", None),
    ] {
        let (found, codes, _) = kind(Marker::Function, text);
        assert_eq!((found.as_str(), codes.first().copied()), (expected, code), "{text}");
    }
}

#[test]
fn values_and_their_suffixes() {
    type Has = fn(&SuffixKind) -> bool;
    let table: &[(&str, Kind, Option<Has>)] = &[
        ("{number a}", Kind::Object, None),
        ("[all {unit place value} of numbers]", Kind::Relation, None),
        ("<all done>", Kind::Proposition, None),
        ("{Phase 1: Confirmation of Instruction}", Kind::Object, None),
        ("{SMA(20) > SMA(50)}", Kind::Object, None),
        ("{prompts/[__flow_index__]*.md}", Kind::Object, None),
        ("+[{a}, {b}]", Kind::Relation, None),
        (":Name:", Kind::Subject, None),
        ("{phase_name: \"phase_1\"}<:{2}>", Kind::Object, Some(|s| matches!(s, SuffixKind::Placement(_)))),
        ("{sum}?<:{3}>", Kind::Object, Some(|s| matches!(s, SuffixKind::Query))),
        ("{number pair}*1*2", Kind::Object, Some(|s| matches!(s, SuffixKind::Version(2)))),
        ("{x}*", Kind::Object, Some(|s| matches!(s, SuffixKind::CurrentVersion))),
        ("{accumulated results}*-1", Kind::Object, Some(|s| matches!(s, SuffixKind::Carried(1)))),
        ("{input text}<$={1}>", Kind::Object, Some(|s| matches!(s, SuffixKind::Identity(1)))),
        ("{a}<$({2})=>", Kind::Object, Some(|s| matches!(s, SuffixKind::Identity(2)))),
        ("{a}<$={#}>", Kind::Object, Some(|s| matches!(s, SuffixKind::AnyIdentity))),
        (
            "[on-going messages]<$({appended messages})=>",
            Kind::Relation,
            Some(|s| matches!(s, SuffixKind::Identification(_))),
        ),
        ("{a}<$({b})%_>", Kind::Object, Some(|s| matches!(s, SuffixKind::Instance(_)))),
        ("{op}<$([ops])*>", Kind::Object, Some(|s| matches!(s, SuffixKind::LoopElement { back: None, .. }))),
        (
            "{op}<$({ops})*-1>",
            Kind::Object,
            Some(|s| matches!(s, SuffixKind::LoopElement { back: Some(1), .. })),
        ),
        (
            "{message}<$([on-going messages])",
            Kind::Object,
            Some(|s| matches!(s, SuffixKind::LoopElement { complete: false, .. })),
        ),
        ("{prompt}<:{prompt}>", Kind::Object, Some(|s| matches!(s, SuffixKind::Placement(_)))),
        ("{x}<:{#}>", Kind::Object, Some(|s| matches!(s, SuffixKind::Placement(_)))),
        ("{output dir}<:{output}><$=>", Kind::Object, Some(|s| matches!(s, SuffixKind::Shared))),
        ("{a.json}<$%={file_location}>", Kind::Object, Some(|s| matches!(s, SuffixKind::DataForm(_)))),
        (
            "[{a}<*1>/{b}<*2>]<{*2}:{1}>",
            Kind::Relation,
            Some(|s| matches!(s, SuffixKind::Member { alternative: 2, .. })),
        ),
        (
            "{input files}<${_}=><[{original prompt}:{1}, {other input files}:{2+}]>",
            Kind::Object,
            Some(|s| matches!(s, SuffixKind::Unpack(parts) if parts.len() == 2)),
        ),
        ("[{1}<:{1}>, {2}<:{2}>]@1", Kind::Relation, Some(|s| matches!(s, SuffixKind::PlanInput(1)))),
        ("{number}<the one from the form>", Kind::Object, Some(|s| matches!(s, SuffixKind::Clausal(_)))),
    ];
    for (text, expected, suffix) in table {
        let (found, codes, unread) = kind(Marker::Value, text);
        assert_eq!((found.as_str(), unread), (expected.as_str(), false), "{text}: {codes:?}");
        let concept = read_concept(text, Marker::Value);
        let Expr::Value(value) = &concept.expr else { panic!("{text}") };
        if let Some(has) = suffix {
            assert!(value.suffixes.iter().any(|s| has(&s.kind)), "{text}: {:?}", value.suffixes);
        }
    }
}

/// Markers, annotations and comments of section 14.1 and 14.2, each with the kind of its annotation.
#[test]
fn annotations() {
    for (trailer, expected, key) in [
        ("| 1.1. imperative", "legacy_index", "1.1"),
        ("| 1.1.2", "legacy_index", "1.1.2"),
        ("| ?{flow_index}: 1.2", "syntactic", "flow_index"),
        ("|?{sequence}: imperative", "syntactic", "sequence"),
        ("|?{natural language}: The sum.", "syntactic", "natural language"),
        ("| %{ref_axes}: [a, b]", "referential", "ref_axes"),
        ("| %{literal<$% file_path>}: a.md", "referential", "literal"),
        ("|%{parse}:", "referential", "parse"),
        ("| /: text", "description", ""),
        ("| ?: what is it?", "question", ""),
        ("| ...: the sentence", "source_text", ""),
        ("# text", "comment", ""),
        ("// text", "comment", ""),
        ("| free words", "text", ""),
        ("| ref. %(n)=[1]", "hint", "ref."),
        ("|%: 3", "hint", "%:"),
        ("|%. \"text\"", "hint", "%."),
        ("|?. text", "hint", "?."),
        ("| nl. text", "hint", "nl."),
        ("| input.", "hint", "input."),
    ] {
        let (tree, _) = parse(normc::base::FileId(0), &format!("{{x}} {trailer}\n"), None);
        let found = &tree.nodes[0].annotations[0];
        assert_eq!((found.kind.as_str(), found.base_key()), (expected, key), "{trailer}");
    }
    for (line, marker) in [
        (":<: ({x})", Marker::Output),
        (":>: ({x})", Marker::Input),
        ("<- {x}", Marker::Value),
        ("<* {x}", Marker::Context),
        ("<^ {x}", Marker::Carry),
        ("{x}", Marker::None),
        ("(OUTPUT) the sum", Marker::None),
        ("[1.2] (ACTION) is added", Marker::Function),
        ("(TIMING) after it", Marker::Function),
        ("(CONDITION) if it is so", Marker::Function),
        ("    [1.2.3] (INPUT 1) the first", Marker::Value),
        ("    (YIELDS) the sum", Marker::Value),
    ] {
        let (tree, _) = parse(
            normc::base::FileId(0),
            &format!("{line}\n    <= x\n"),
            Some(normc::syntax::Dialect::Natural),
        );
        assert_eq!(tree.nodes.first().map(|n| n.marker), Some(marker), "{line}");
    }
}
