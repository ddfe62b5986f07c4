//! Reading lines from a terminal without holding on to it: only while somebody is asked, and never more than is there.
//! The terminal itself edits the line.

use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::dialogue::{Console, Edited, Line};
use super::editor;

/// How often it is asked whether to give up.
const PERIOD: Duration = Duration::from_millis(100);
/// A line may be so long.
const LONGEST: usize = 16 << 20;

/// A terminal, or what stands for one.
pub struct Tty {
    input: OwnedFd,
    output: Box<dyn Write + Send>,
    /// What was read beyond the last line.
    ahead: Vec<u8>,
    /// The editor; none lets lines be typed.
    editor: Option<String>,
    /// It was said that this process is in the background.
    is_back: bool,
}

impl Tty {
    /// The terminal of this process: lines from standard input, the questions on standard error. None when one of them is
    /// no terminal.
    pub fn of_process() -> Option<Self> {
        use std::io::IsTerminal;
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        let input = io::stdin().as_fd().try_clone_to_owned().ok()?;
        Some(Self::new(input, Box::new(io::stderr()), editor::configured()))
    }

    /// Any other place to read from and write to.
    pub fn new(input: OwnedFd, output: Box<dyn Write + Send>, editor: Option<String>) -> Self {
        Self { input, output, ahead: Vec::new(), editor, is_back: false }
    }

    /// Waits a moment for something to read. `Ok(None)` when there is nothing yet.
    fn read_some(&mut self) -> Result<Option<usize>, Line> {
        let timeout = Timespec { tv_sec: 0, tv_nsec: PERIOD.subsec_nanos().into() };
        let mut wanted = [PollFd::new(&self.input, PollFlags::IN)];
        match poll(&mut wanted, Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => return Ok(None),
            Ok(_) => {}
            Err(_) => return Err(Line::Gone),
        }
        let flags = wanted.first().map(PollFd::revents).unwrap_or(PollFlags::empty());
        let mut some = [0_u8; 4096];
        match rustix::io::read(&self.input, &mut some) {
            // A terminal that was hung up has no end of input: it is gone.
            Ok(0) if flags.contains(PollFlags::HUP) => Err(Line::Gone),
            Ok(len) => {
                self.ahead.extend_from_slice(some.get(..len).unwrap_or_default());
                Ok(Some(len))
            }
            Err(Errno::INTR | Errno::AGAIN) => Ok(None),
            Err(_) => Err(Line::Gone),
        }
    }

    /// The next line of what was read.
    fn next_line(&mut self) -> Option<Vec<u8>> {
        let end = self.ahead.iter().position(|b| *b == b'\n')?;
        let rest = self.ahead.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.ahead, rest);
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Some(line)
    }

    /// Says once that nobody can type to a process in the background; reading there would stop all of it.
    fn note_background(&mut self) {
        if !std::mem::replace(&mut self.is_back, true) {
            self.show("\n  (this process runs in the background: bring it to the front with fg to answer)\n");
        }
    }
}

impl Console for Tty {
    fn show(&mut self, text: &str) {
        // Who has no terminal to read from will not answer either.
        let _ = self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush());
    }

    fn line(&mut self, leave: &mut dyn FnMut() -> bool) -> Line {
        loop {
            if leave() {
                return Line::Left;
            }
            if let Some(line) = self.next_line() {
                return text(line);
            }
            if self.ahead.len() > LONGEST {
                self.ahead.clear();
                return Line::Garbage;
            }
            if is_in_background() {
                self.note_background();
                std::thread::sleep(PERIOD);
                continue;
            }
            match self.read_some() {
                Ok(Some(0)) if self.ahead.is_empty() => return Line::End,
                Ok(Some(0)) => return text(std::mem::take(&mut self.ahead)),
                Ok(_) => {}
                Err(gone) => return gone,
            }
        }
    }

    fn edit(&mut self, text: &str, leave: &mut dyn FnMut() -> bool) -> Option<Edited> {
        let editor = self.editor.clone()?;
        while is_in_background() {
            if leave() {
                return Some(Edited::Left);
            }
            self.note_background();
            std::thread::sleep(PERIOD);
        }
        Some(editor::edit(&editor, text, leave))
    }
}

fn text(line: Vec<u8>) -> Line {
    String::from_utf8(line).map_or(Line::Garbage, Line::Text)
}

/// Whether another process group has the terminal. The system kills or stops who reads from it nevertheless.
fn is_in_background() -> bool {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return false };
    // The name of the program stands in brackets and may hold anything; after it: state, parent, group, session,
    // terminal, the group in front.
    let Some((_, fields)) = stat.rsplit_once(')') else { return false };
    let fields: Vec<i64> = fields.split_whitespace().skip(1).take(5).filter_map(|f| f.parse().ok()).collect();
    match fields.as_slice() {
        [_, group, _, terminal, front] => *terminal != 0 && *front > 0 && group != front,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::pipe;

    /// Lines read from a pipe with these bytes in it, up to its end.
    fn read(bytes: &[u8]) -> Vec<Line> {
        let (input, mut output) = pipe().unwrap();
        let bytes = bytes.to_vec();
        // A pipe does not hold all of a long line.
        let writer = std::thread::spawn(move || output.write_all(&bytes).unwrap());
        let mut tty = Tty::new(input.into(), Box::new(io::sink()), None);
        let mut lines = Vec::new();
        loop {
            let line = tty.line(&mut || false);
            let last = matches!(line, Line::End | Line::Gone);
            lines.push(line);
            if last {
                writer.join().unwrap();
                return lines;
            }
        }
    }

    #[test]
    fn lines() {
        let text = |text: &str| Line::Text(text.to_owned());
        // What was being typed when the terminal went is no answer.
        assert_eq!(read("a\r\n\né 🙂\nyes".as_bytes()), [text("a"), text(""), text("é 🙂"), Line::Gone]);
        assert_eq!(read(b"\xff\nb\n"), [Line::Garbage, text("b"), Line::Gone]);
        let long = "x".repeat(100_000);
        assert_eq!(read(format!("{long}\n").as_bytes()), [text(&long), Line::Gone]);
    }

    #[test]
    fn the_end_of_a_file_is_an_end() {
        let file = File::open("/dev/null").unwrap();
        let mut tty = Tty::new(file.into(), Box::new(io::sink()), None);
        assert_eq!(tty.line(&mut || false), Line::End);
    }

    #[test]
    fn reading_can_be_left() {
        let (input, _output) = pipe().unwrap();
        let mut tty = Tty::new(input.into(), Box::new(io::sink()), None);
        let mut asked = 0;
        let left = tty.line(&mut || {
            asked += 1;
            asked > 2
        });
        assert_eq!((left, asked), (Line::Left, 3));
    }
}
