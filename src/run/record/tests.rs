//! Records come back as they were written, and what is no record is refused.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::base::{LoopPath, Value, Writer};
use crate::repo::ConceptId;
use crate::run::effect::{CallAnswer, Effect, Generate, Question, ReplyFormat};
use crate::run::{
    CallLog, Happening, ItemId, Printed, Produced, ScriptPlace, SkipCause, Spent, StepFailure, StepKey,
};
use crate::tensor::mask::Mask;
use crate::tensor::{Axis, Tensor};

/// Objects in memory.
#[derive(Default)]
struct Objects(Vec<(Digest, Vec<u8>)>);

impl Keep for Objects {
    fn keep(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        self.0.push((digest, bytes));
        digest
    }
}

impl Fetch for Objects {
    fn fetch(&mut self, digest: &Digest) -> Result<Vec<u8>, String> {
        let found = self.0.iter().find(|(known, _)| known == digest);
        found.map(|(_, bytes)| bytes.clone()).ok_or_else(|| "it is not there".to_owned())
    }
}

fn written(event: &Event, objects: &mut Objects) -> (Kind, Vec<u8>) {
    let mut out = Writer::default();
    let kind = write_event(&mut out, event, objects);
    (kind, out.bytes)
}

fn step(item: u32, path: &[u32]) -> StepKey {
    StepKey { item: ItemId(item), path: LoopPath(path.into()) }
}

fn tensor() -> impl Strategy<Value = Tensor> {
    let cell = prop_oneof![
        Just(Value::Skip),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| Value::Number(n.into())),
        ".{0,12}".prop_map(Value::text),
        ".{0,6}".prop_map(|t| Value::Sign(Arc::new(crate::base::Sign::plain(t)))),
        prop::collection::vec(any::<i64>().prop_map(|n| Value::Number(n.into())), 0..4).prop_map(Value::list),
    ];
    prop::collection::vec(1..4_usize, 0..4).prop_flat_map(move |shape| {
        let len = shape.iter().product::<usize>();
        let axes: Vec<Axis> = (0..shape.len()).map(|i| Axis::new(format!("axis {i}"))).collect();
        prop::collection::vec(cell.clone(), len)
            .prop_map(move |cells| Tensor::from_cells(&axes, &shape, cells).unwrap())
    })
}

fn happening() -> impl Strategy<Value = Happening> {
    let mask = (tensor(), any::<bool>(), prop::option::of("[a-z ]{1,8}"))
        .prop_map(|(tensor, met, axis)| Arc::new(Mask { tensor, met, filter_axis: axis.map(Axis::new) }));
    let failure = (".{0,20}", prop::option::of(".{0,20}"), prop::option::of(1..9_u32)).prop_map(
        |(message, detail, line)| {
            let script = Some(Box::new(ScriptPlace { path: "a.py".to_owned(), line }));
            let cell = vec![("number".to_owned(), 3)];
            let mut failure = StepFailure::new("script_failed", message).help("mend it");
            (failure.script, failure.cell, failure.detail) = (script, cell, detail.map(Into::into));
            Happening::Failed(Arc::new(failure))
        },
    );
    prop_oneof![
        (tensor(), prop::option::of(any::<bool>()), prop::option::of(mask))
            .prop_map(|(value, met, mask)| Happening::Gave(Produced { value, met, mask })),
        (tensor(), prop::option::of("[a-z ]{1,8}"))
            .prop_map(|(item, axis)| Happening::Appended { item, axis: axis.map(Axis::new) }),
        Just(Happening::Passed),
        Just(Happening::Kept),
        any::<bool>().prop_map(|open| Happening::Gate { open }),
        any::<u32>().prop_map(|g| Happening::Skipped(SkipCause::Gate(ItemId(g)))),
        any::<u32>().prop_map(|c| Happening::Skipped(SkipCause::Input(ConceptId(c)))),
        Just(Happening::Skipped(SkipCause::Told)),
        failure,
    ]
}

fn event() -> impl Strategy<Value = Event> {
    (any::<u32>(), prop::collection::vec(any::<u32>(), 0..4), any::<u32>(), happening())
        .prop_map(|(item, path, round, what)| Event { step: step(item, &path), round, what })
}

proptest! {
    #[test]
    fn events_come_back_as_they_were(event in event()) {
        let mut objects = Objects::default();
        let (kind, body) = written(&event, &mut objects);
        prop_assert_eq!(peek(kind, &body), Some(Lookup { step: event.step.clone(), round: event.round }));
        match Decoder::default().read(kind, &body, &mut objects) {
            Ok(Record::Step(again)) => {
                prop_assert_eq!(format!("{:?}", again), format!("{:?}", &event));
                prop_assert_eq!(written(&again, &mut objects).1, body.clone());
            }
            other => prop_assert!(false, "{other:?}"),
        }
        // No beginning of it is a record, nor is it with something behind it.
        for cut in 0..body.len() {
            prop_assert!(Decoder::default().read(kind, &body[..cut], &mut objects).is_err(), "cut at {}", cut);
        }
        let longer = [&body[..], &[0]].concat();
        prop_assert!(Decoder::default().read(kind, &longer, &mut objects).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        for kind in Kind::ALL {
            let _ = Decoder::default().read(kind, &bytes, &mut Objects::default());
        }
    }
}

#[test]
fn a_large_value_is_an_object_and_checked() {
    let cells: Vec<Value> = (0..20_000).map(|n| Value::Number(i64::from(n).into())).collect();
    let value = Tensor::from_cells(&[Axis::from("n")], &[20_000], cells).unwrap();
    let what = Happening::Gave(Produced { value, met: None, mask: None });
    let event = Event { step: step(3, &[7]), round: 2, what };
    let mut objects = Objects::default();
    let (kind, body) = written(&event, &mut objects);
    assert!(body.len() < 100, "{}", body.len());
    assert_eq!(objects.0.len(), 1);
    assert!(matches!(Decoder::default().read(kind, &body, &mut objects), Ok(Record::Step(_))));
    let missing = Decoder::default().read(kind, &body, &mut Objects::default());
    assert!(matches!(missing, Err(RecordError::Object(..))), "{missing:?}");
    objects.0[0].1.push(0);
    let longer = Decoder::default().read(kind, &body, &mut objects).unwrap_err();
    assert!(longer.to_string().contains("bytes where"), "{longer}");
}

#[test]
fn records_of_the_run_come_back_as_they_were() {
    let epoch = Epoch {
        at: 1,
        pid: 2,
        version: "0.1.0".to_owned(),
        plan: Digest::of(b"plan"),
        setting: Digest::of(b"setting"),
        name: "plan".to_owned(),
        source: "plan.nc".to_owned(),
        base: "/base".to_owned(),
        mode: Mode::FillGaps,
    };
    let redo = |what| Redo { what, reason: "because".to_owned() };
    let records = [
        Record::Run(RunInfo { id: "01ABC".to_owned(), name: Some("demo".to_owned()), epoch: epoch.clone() }),
        Record::Resumed(epoch),
        Record::Suspended(Suspension { at: 5, reason: "SIGINT".to_owned() }),
        Record::Redo(vec![
            redo(Redone::Item(ItemId(4))),
            redo(Redone::Step(step(4, &[1, 2]))),
            redo(Redone::Above(9)),
        ]),
        Record::Repaired("two frames".to_owned()),
        Record::End(Ending { at: 9, status: "completed".to_owned(), cycles: 3, completed: 4, skipped: 5 }),
    ];
    for record in records {
        let (kind, body) = record.life_body().unwrap();
        let again = Decoder::default().read(kind, &body, &mut Objects::default()).unwrap();
        assert_eq!(format!("{again:?}"), format!("{record:?}"));
        assert_eq!(peek(kind, &body), None);
    }
}

#[test]
fn intents_and_logs_come_back_as_they_were() {
    let mut out = Writer::default();
    let intent =
        Intent { step: step(1, &[2]), round: 3, at: 4, attempt: 5, key: Digest::of(b"key"), once: true };
    write_intent(&mut out, &intent);
    let read = Decoder::default().read(Kind::Intent, &out.bytes, &mut Objects::default());
    assert!(matches!(read, Ok(Record::Intent(again)) if again == intent));

    let long = "x".repeat(LARGEST_INLINE + 1);
    for stdout in ["short".to_owned(), long] {
        let printed = Printed { stdout: stdout.clone(), stderr: "oops".to_owned() };
        let log = CallLog {
            outputs: vec![printed],
            time: Duration::from_micros(1500),
            calls: 2,
            ..CallLog::default()
        };
        let (mut out, mut objects) = (Writer::default(), Objects::default());
        write_log(&mut out, &step(1, &[]), 2, 77, &log, &mut objects);
        assert_eq!(objects.0.len(), usize::from(stdout.len() > 100));
        match Decoder::default().read(Kind::Log, &out.bytes, &mut objects) {
            Ok(Record::Log(again)) => {
                assert_eq!((again.at, again.calls, again.micros), (77, 2, 1500));
                assert_eq!(again.outputs, [Output { stdout, stderr: "oops".to_owned() }]);
            }
            other => panic!("{other:?}"),
        }
    }
}

fn call(left: Left, answer: Result<CallAnswer, StepFailure>, prompt: &str) -> Call {
    let effect = Effect::Generate(Generate {
        prompt: Arc::from(prompt),
        system: None,
        format: ReplyFormat::Json,
        model: Some(Arc::from("m")),
    });
    let (method, args) = effect.described();
    let spent =
        Spent { calls: 1, tries: 3, prompt_tokens: 400, completion_tokens: 7, estimated: true, micros: 123 };
    Call {
        step: step(3, &[1, 2]),
        round: 4,
        place: CallPlace { cell: 5, number: 6 },
        at: 7,
        micros: 8,
        left,
        effect: effect.digest(),
        model: Some(ModelUse { asked: "m".into(), answered: "m-2".into(), spent, replayed: true, cut: true }),
        method: method.to_owned(),
        args,
        answer,
    }
}

#[test]
fn calls_come_back_as_they_were() {
    // The long one is kept as objects.
    for prompt in ["short", &"long ".repeat(20_000)] {
        for (left, answer) in [
            (Left::Open, Ok(CallAnswer { value: Value::text(prompt), text: Some(Arc::from("t")) })),
            (Left::Done, Ok(CallAnswer::of(Value::text("%{script_location}(evil.py)")))),
            (Left::Failed, Err(StepFailure::new("model_refused", "no"))),
        ] {
            let written = call(left, answer, prompt);
            let (mut out, mut objects) = (Writer::default(), Objects::default());
            write_call(&mut out, &written, &mut objects);
            assert_eq!(call_spent(&out.bytes), written.model.as_ref().map(|m| m.spent));
            let read = Decoder::default().read(Kind::Call, &out.bytes, &mut objects).unwrap();
            let Record::Call(read) = read else { panic!("not a call") };
            assert_eq!(format!("{read:?}"), format!("{written:?}"));
        }
    }
}

#[test]
fn the_calls_of_a_cell_that_failed_do_not_count_again() {
    let at = |cell, number, left| {
        let place = CallPlace { cell, number };
        Call { place, ..call(left, Ok(CallAnswer::of(Value::Null)), "p") }
    };
    let calls =
        vec![at(0, 0, Left::Open), at(1, 0, Left::Done), at(0, 1, Left::Failed), at(0, 0, Left::Open)];
    let places: Vec<CallPlace> = answered(calls).into_keys().collect();
    assert_eq!(places, [CallPlace { cell: 0, number: 0 }, CallPlace { cell: 1, number: 0 }]);
    assert_eq!(answered(vec![at(0, 0, Left::Open), at(0, 1, Left::Failed)]).len(), 0);
}

/// What a script asks while it runs is written down before its own call, and has higher numbers.
#[test]
fn the_call_after_a_script_has_the_number_it_had() {
    let at = |number, failed: bool| {
        let place = CallPlace { cell: 0, number };
        let answer = if failed {
            Err(StepFailure::new("file_not_found", "no"))
        } else {
            Ok(CallAnswer::of(Value::Null))
        };
        Call { place, ..call(Left::Open, answer, "p") }
    };
    let next = |calls: &[(u32, bool)]| -> Vec<(u32, u32)> {
        let calls = calls.iter().map(|(number, failed)| at(*number, *failed)).collect();
        answered(calls).into_iter().map(|(place, known)| (place.number, known.next)).collect()
    };
    assert_eq!(next(&[(0, false), (1, false)]), [(0, 1), (1, 2)]);
    assert_eq!(next(&[(1, false), (2, true), (0, false), (3, false)]), [(0, 3), (1, 2), (3, 4)]);
    // It asked for other things when it ran again.
    assert_eq!(next(&[(1, false), (2, false), (1, false), (0, false)]), [(0, 2), (1, 2), (2, 3)]);
}

#[test]
fn questions_come_back_as_they_were() {
    let written = Asked {
        step: step(1, &[]),
        round: 2,
        place: CallPlace { cell: 0, number: 1 },
        at: 3,
        effect: Digest::of(b"x"),
        cell: vec![("axis".to_owned(), 2)],
        question: Question::text("who?").to_json(),
    };
    let (mut out, mut objects) = (Writer::default(), Objects::default());
    write_asked(&mut out, &written, &mut objects);
    let read = Decoder::default().read(Kind::Question, &out.bytes, &mut objects).unwrap();
    let Record::Question(read) = read else { panic!("not a question") };
    assert_eq!(format!("{read:?}"), format!("{written:?}"));
}
