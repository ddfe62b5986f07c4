//! The codes of all diagnostics: NC0xx source, NC1xx loading, NC2xx runs (language spec, section 12).

use std::fmt;

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing to mend.
    Info,
    /// Likely a mistake; the plan still compiles.
    Warning,
    /// The plan cannot be compiled, loaded or run.
    Error,
}

impl Severity {
    /// The word shown to people and machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One row a code: name, default severity, title. The variants, the list and the look-ups all come from it.
macro_rules! codes {
    ($($code:ident $severity:ident $title:literal;)*) => {
        /// The code of a diagnostic. Numbers are never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Code] = &[$(Code::$code),*];

            /// The code as printed, `NC081`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$code => stringify!($code),)* }
            }

            /// The severity unless the place of use says otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Code::$code => Severity::$severity,)* }
            }

            /// What the code stands for, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Code::$code => $title,)* }
            }
        }
    };
}

codes! {
    NC001 Error "source text is not UTF-8";
    NC002 Warning "no plan in the file";
    NC010 Info "unusual indentation step";
    NC011 Warning "indentation off by one column";
    NC012 Warning "stray text line";
    NC013 Warning "bracket not closed";
    NC014 Warning "annotation less indented than its concept";
    NC015 Warning "prose outside the plan";
    NC016 Warning "deeper concept line without a marker";
    NC017 Error "plan wrapped in a perceptual sign";
    NC018 Error "words after a closed concept";
    NC019 Warning "part of an operation, of arguments or of data not understood";
    NC020 Error "flat line without a parent line";
    NC021 Warning "several roots";
    NC022 Warning "comment that allows nothing";
    NC030 Warning "declared flow index differs";
    NC031 Info "declared flow indices follow another numbering scheme";
    NC032 Warning "declared sequence fits nothing";
    NC033 Warning "ambiguous unmarked name";
    NC034 Warning "one function text with two meanings";
    NC035 Info "one name with two types";
    NC036 Warning "names that are nearly the same";
    NC037 Warning "several unrelated inferences for one concept";
    NC038 Warning "carried value without an initial value";
    NC040 Info "legacy and current operators in one file";
    NC041 Info "inline comment sign";
    NC042 Info "annotation without a pipe";
    NC043 Info "loop version without a number";
    NC044 Info "loop element mark not complete";
    NC045 Info "clausal comment";
    NC046 Info "loop without a number";
    NC047 Info "specification with `%<` in place of `%>`";
    NC048 Warning "append names item and destination the wrong way round";
    NC049 Warning "misspelt operator";
    NC050 Warning "specification names neither a value nor the target";
    NC051 Warning "timing as the only function of a value";
    NC052 Warning "timing condition that cannot be one";
    NC053 Warning "angle brackets around an imperative";
    NC054 Warning "imperative for a proposition";
    NC055 Warning "assertion not understood";
    NC056 Warning "judgement without an assertion";
    NC057 Warning "value without a slot";
    NC058 Warning "slots and values do not fit";
    NC059 Info "candidate left out of a specification";
    NC060 Error "construct that no program runs";
    NC061 Error "empty operation";
    NC062 Error "two functions for one concept";
    NC063 Error "unknown operator";
    NC064 Error "step with two ways to be done";
    NC065 Warning "declared norm contradicts the cell";
    NC070 Info "draft sentence interpreted";
    NC071 Warning "no equal in the other form";
    NC080 Error "dependency cycle";
    NC081 Error "value used but never given";
    NC082 Warning "step whose result nobody uses";
    NC083 Error "loop version outside its loop";
    NC084 Warning "loop base or carry that does not fit";
    NC085 Error "loop number used twice";
    NC086 Warning "loop that never ends";
    NC087 Warning "alternatives that do not cover every case";
    NC088 Error "gate that can never open";
    NC089 Warning "condition that no judgement makes";
    NC090 Warning "slots and values do not match";
    NC091 Warning "append along an axis the destination does not have";
    NC092 Warning "grouping over something that does not fit";
    NC093 Warning "declared axes contradict the computed ones";
    NC094 Info "bundled value without a selector";
    NC095 Error "resource not found";
    NC096 Warning "two concepts with one id";
    NC097 Warning "filter over a judgement without an assertion";
    NC098 Warning "unknown annotation key";
    NC099 Info "condition named only in the text";
    NC100 Error "not JSON of the right form";
    NC101 Error "required field missing or of the wrong type";
    NC102 Error "name or index used twice";
    NC103 Error "name that is not in the concept repository";
    NC104 Error "unknown type or sequence";
    NC105 Error "malformed flow index";
    NC106 Error "working interpretation not complete";
    NC107 Error "axes and data do not fit";
    NC108 Error "gate that does not guard its parent";
    NC109 Error "bundle of a newer version";
    NC110 Error "bundle changed after it was written";
    NC111 Error "inputs do not fit the plan";
    NC112 Warning "paradigm not found";
    NC113 Warning "paradigm that cannot be run";
    NC114 Warning "name and content of a paradigm do not fit";
    NC115 Warning "two steps write one file";
    NC116 Error "agents file not as specified";
    NC117 Warning "key written in an agents file";
    NC118 Error "tool that a step needs is switched off";
    NC120 Warning "value never passed to its step";
    NC121 Warning "field or selector not as specified";
    NC122 Warning "concept that nothing uses";
    NC123 Warning "ground concept without data";
    NC124 Warning "no final concept";
    NC125 Warning "order of reader and writer given only by position";
    NC126 Warning "part of the repositories that source text cannot say";
    NC201 Error "deadlock";
    NC202 Error "missing input";
    NC203 Error "step failed";
    NC204 Warning "final concept skipped";
    NC205 Warning "something to look at in a run";
}

impl Code {
    /// The code of a printed form, in any case.
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|c| c.as_str().eq_ignore_ascii_case(text.trim()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
