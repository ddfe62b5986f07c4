//! A compact, readable form of typed concept texts, for snapshots.

use std::fmt::Write;

use normc::syntax::{
    Assertion, AssignOp, Axis, Body, Carry, Concept, Expr, InputForm, Modifier, Operand, OperandKind, Pick,
    Reference, SlotInstance, SlotKey, Subject, Suffix, SuffixKind, Value, ValueKind,
};

pub(super) fn concept(concept: &Concept) -> String {
    let mut out = expr(&concept.expr);
    if concept.wrapped {
        out = format!("({out})");
    }
    out.push_str(&suffixes_text(&concept.suffixes));
    if concept.tail.is_some() {
        out.push_str(" +tail");
    }
    out
}

fn expr(expr: &Expr) -> String {
    match expr {
        Expr::Value(v) => value(v),
        Expr::Looping(l) => {
            let mut out = "loop".to_owned();
            field(&mut out, "over", &list(&l.bases, value));
            field(&mut out, "axes", &list(&l.axes, axis));
            field(&mut out, "result", &list(&l.results, value));
            field(&mut out, "number", &l.number.map_or(String::new(), |n| n.to_string()));
            field(
                &mut out,
                "carry",
                &list(&l.carries, |c: &Carry| format!("{} {} back", value(&c.value), c.lag)),
            );
            out
        }
        Expr::Assigning(a) => {
            let mut out = format!("{:?}", a.op).to_lowercase();
            field(&mut out, "args", &list(&a.args, operand));
            field(&mut out, "colon", &list(&a.after_colon, operand));
            field(&mut out, "by", &list(&a.by_axes, axis));
            field(&mut out, "mods", &list(&a.modifiers, modifier));
            let sources: Vec<Value> = a.sources().into_iter().cloned().collect();
            match a.op {
                AssignOp::Continuation => {
                    field(&mut out, "item", &a.item().map_or(String::new(), value));
                    field(&mut out, "to", &a.destination().map_or(String::new(), value));
                }
                AssignOp::Abstraction => field(&mut out, "literal", a.literal().unwrap_or("")),
                _ => field(&mut out, "sources", &list(&sources, value)),
            }
            let pick = a.pick().map(|p| match p {
                Pick::Index(n) => n.to_string(),
                Pick::All => "all".to_owned(),
            });
            field(&mut out, "pick", &pick.or(a.pick_key().map(reference)).unwrap_or_default());
            out
        }
        Expr::Grouping(g) => {
            let mut out = format!("group {:?}", g.op).to_lowercase();
            let owned = |list: Vec<&Value>| list.into_iter().cloned().collect::<Vec<_>>();
            field(&mut out, "plus", if g.plus { "yes" } else { "" });
            field(&mut out, "sources", &list(&owned(g.sources()), value));
            field(&mut out, "by", &list(&owned(g.by()), value));
            field(&mut out, "axes", &list(&g.axes(), axis));
            field(&mut out, "create", &g.create_axis().map_or(String::new(), |a| axis(&a)));
            field(&mut out, "protect", &g.protected().join(", "));
            let lists = g.axes_per_source().unwrap_or_default();
            field(&mut out, "per source", &list(&lists, |l| format!("[{}]", l.join(", "))));
            out
        }
        Expr::Timing(t) => {
            let mut out = format!("timing {:?}", t.op).to_lowercase();
            field(&mut out, "on", &t.condition.as_ref().map_or(String::new(), value));
            field(&mut out, "call", &t.call.map_or(String::new(), |n| n.to_string()));
            out
        }
        Expr::Input(i) => {
            let form = match &i.form {
                InputForm::Plain => String::new(),
                InputForm::Channel(c) => format!("channel {c}"),
                InputForm::Port(p) => format!("port {p}"),
                InputForm::Argument(n) => format!("argument {n:?}"),
                InputForm::Mode(m) => format!("mode {m}"),
            };
            let mut out = "input".to_owned();
            field(&mut out, "form", &form);
            field(&mut out, "norm", i.norm.as_deref().unwrap_or(""));
            field(&mut out, "asked", &i.asked.as_ref().map_or(String::new(), value));
            body(&mut out, &i.body);
            out
        }
        Expr::Method(m) => {
            let mut out = "method".to_owned();
            field(&mut out, "name", &m.name);
            body(&mut out, &m.body);
            out
        }
        Expr::Semantic(s) => {
            let mut out = "operation".to_owned();
            let subject = match &s.subject {
                Subject::Unwritten => "unwritten".to_owned(),
                Subject::Default => String::new(),
                Subject::Named(n) => n.to_string(),
                Subject::Sign(t) => format!("%({t})"),
            };
            field(&mut out, "subject", &subject);
            field(&mut out, "norm", s.norm.as_deref().unwrap_or(""));
            field(
                &mut out,
                "variant",
                &s.variant().map_or(String::new(), |v| format!("{v:?}").to_lowercase()),
            );
            field(&mut out, "gives", if s.gives_relation() { "relation" } else { "" });
            body(&mut out, &s.body);
            field(&mut out, "asserts", &s.assertion.as_ref().map_or(String::new(), assertion));
            out
        }
        Expr::Informal => "sentence".to_owned(),
        Expr::Empty => "nothing".to_owned(),
    }
}

fn field(out: &mut String, name: &str, text: &str) {
    if !text.is_empty() {
        write!(out, " {name}=({text})").unwrap();
    }
}

fn list<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    items.iter().map(show).collect::<Vec<_>>().join(" ; ")
}

fn value(v: &Value) -> String {
    let (open, close) = match v.kind {
        ValueKind::Subject => (":", ":"),
        kind => kind.brackets(),
    };
    let mut out = format!("{}{open}{}{close}", if v.plus { "+" } else { "" }, v.name);
    if let Some(literal) = &v.literal {
        write!(out, " literal {} = {:?}", literal.key, literal.value.as_ref()).unwrap();
    }
    out.push_str(&suffixes_text(&v.suffixes));
    if !v.members.is_empty() {
        write!(out, " members ({})", list(&v.members, value)).unwrap();
    }
    out
}

fn suffixes_text(suffixes: &[Suffix]) -> String {
    suffixes.iter().map(|s| format!(" {}", suffix(&s.kind))).collect()
}

fn suffix(kind: &SuffixKind) -> String {
    match kind {
        SuffixKind::Query => "query".to_owned(),
        SuffixKind::Version(n) => format!("version {n}"),
        SuffixKind::CurrentVersion => "current version".to_owned(),
        SuffixKind::Carried(n) => format!("carried {n}"),
        SuffixKind::PlanInput(n) => format!("input of call {n}"),
        SuffixKind::Identity(n) => format!("identity {n}"),
        SuffixKind::AnyIdentity => "any identity".to_owned(),
        SuffixKind::NamedIdentity(t) => format!("identity {t}"),
        SuffixKind::Identification(r) => format!("identified by {}", reference(r)),
        SuffixKind::Placement(k) => format!("slot {}", slot_key(k)),
        SuffixKind::Instance(r) => format!("instance of {}", reference(r)),
        SuffixKind::LoopElement { of, back, complete } => {
            let back = back.map_or(String::new(), |b| format!(" {b} back"));
            format!("element of {}{back}{}", reference(of), if *complete { "" } else { " (incomplete)" })
        }
        SuffixKind::Shared => "shared".to_owned(),
        SuffixKind::Lag(n) => format!("lag {n}"),
        SuffixKind::DataForm(t) => format!("data form {t}"),
        SuffixKind::Unpack(pairs) => {
            format!("unpack ({})", list(pairs, |(r, k)| format!("{} to {}", reference(r), slot_key(k))))
        }
        SuffixKind::Member { alternative, slot } => {
            format!("alternative {alternative} to {}", slot_key(slot))
        }
        SuffixKind::Protect(t) => format!("protect {t}"),
        SuffixKind::Pick(p) => format!("pick {p:?}"),
        SuffixKind::DerivedFrom => "derived from".to_owned(),
        SuffixKind::Clausal(t) => format!("remark {t:?}"),
    }
}

fn reference(r: &Reference) -> String {
    match r {
        Reference::Value(v) => value(v),
        Reference::Words(w) => format!("words {w:?}"),
    }
}

fn slot_key(key: &SlotKey) -> String {
    match key {
        SlotKey::Number(n) => n.to_string(),
        SlotKey::From(n) => format!("{n}+"),
        SlotKey::Any => "#".to_owned(),
        SlotKey::Name(name) => name.to_string(),
    }
}

fn axis(a: &Axis) -> String {
    a.name.to_string()
}

fn operand(o: &Operand) -> String {
    match &o.kind {
        OperandKind::Value(v) => value(v),
        OperandKind::Member { value: v, key } => format!("{} as {key}", value(v)),
        OperandKind::Clause(s) => suffix(&s.kind),
        OperandKind::Number(n) => n.to_string(),
        OperandKind::Literal(t) => format!("literal {t}"),
        OperandKind::Word(w) => format!("word {w}"),
        OperandKind::Unread(t) => format!("unread {t:?}"),
    }
}

fn modifier(m: &Modifier) -> String {
    format!("%{} {}", m.kind.sign(), list(&m.operands, operand))
}

fn body(out: &mut String, b: &Body) {
    field(out, if b.angle { "angle body" } else { "body" }, &b.text);
    let slots = list(&b.slots, |s| {
        let instance = match &s.instance {
            None => String::new(),
            Some(SlotInstance::Abstraction(r)) => format!(" for {}", reference(r)),
            Some(SlotInstance::Literal(t)) => format!(" is {t}"),
            Some(SlotInstance::Subject(t)) => format!(" from {t}"),
            Some(SlotInstance::DataForm(t)) => format!(" as {t}"),
            Some(SlotInstance::Placement(k)) => format!(" to {}", slot_key(k)),
        };
        format!("{}{}{instance}", slot_key(&s.key), if s.query { "?" } else { "" })
    });
    field(out, "slots", &slots);
    field(out, "mentions", &list(&b.mentions, value));
}

fn assertion(a: &Assertion) -> String {
    let quantifiers = list(&a.quantifiers, |q| {
        let over = q.over.as_ref().map_or(String::new(), |r| format!(" {}", reference(r)));
        format!("{}{over}", q.word.as_str())
    });
    let understood = if a.understood { "" } else { " (not understood)" };
    format!("{quantifiers} {}{understood}", a.truth)
}
