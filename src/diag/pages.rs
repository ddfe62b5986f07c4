//! The pages of the codes, embedded in the binary: what, why, a bad plan, a good plan.
//!
//! Knows nothing of how a page is shown.

use super::Code;

/// One name a code. The match is exhaustive, so a code without a page does not compile.
macro_rules! pages {
    ($($code:ident)*) => {
        /// The page of a code, as Markdown; its first line is `# NC081: title`.
        pub fn page(code: Code) -> &'static str {
            match code {
                $(Code::$code => include_str!(concat!("codes/", stringify!($code), ".md")),)*
            }
        }
    };
}

pages! {
    NC001 NC002 NC010 NC011 NC012 NC013 NC014 NC015 NC016 NC017 NC018 NC019 NC020 NC021 NC022 NC030 NC031 NC032 NC033
    NC034 NC035 NC036 NC037 NC038 NC040 NC041 NC042 NC043 NC044 NC045 NC046 NC047 NC048 NC049 NC050 NC051 NC052
    NC053 NC054 NC055 NC056 NC057 NC058 NC059 NC060 NC061 NC062 NC063 NC064 NC065 NC070 NC071 NC080 NC081 NC082 NC083 NC084 NC085
    NC086 NC087 NC088 NC089 NC090 NC091 NC092 NC093 NC094 NC095 NC096 NC097 NC098 NC099 NC100 NC101 NC102 NC103
    NC104 NC105 NC106 NC107 NC108 NC109 NC110 NC111 NC112 NC113 NC114 NC115 NC116 NC117 NC118 NC120 NC121 NC122 NC123 NC124 NC125 NC126 NC201 NC202 NC203 NC204
    NC205
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_begins_with_its_code_and_title() {
        for code in Code::ALL {
            let first = page(*code).lines().next();
            assert_eq!(first, Some(format!("# {code}: {}", code.title()).as_str()));
        }
    }

    #[test]
    fn every_page_is_short_and_in_fixed_parts() {
        for code in Code::ALL {
            let text = page(*code);
            let lines = text.lines().count();
            assert!((10..=32).contains(&lines), "{code}: {lines} lines");
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{code}: ends with one line end");
            assert!(text.lines().all(|line| line.trim_end() == line), "{code}: blanks at a line's end");
            assert_eq!(text.matches("```").count() % 2, 0, "{code}: an open code block");
            for part in ["\nBad:\n", "\nGood:\n"] {
                assert_eq!(text.matches(part).count(), 1, "{code}: needs `{}` once", part.trim());
            }
            assert!(text.find("\nBad:\n") < text.find("\nGood:\n"), "{code}: bad before good");
        }
    }
}
