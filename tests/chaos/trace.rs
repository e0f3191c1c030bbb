//! What a gateway asks of the system, as strace tells it.

use std::path::Path;

/// One system call. Lines of the trace are its clock.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    arguments: String,
    result: String,
    /// The line by which it had begun.
    pub(crate) entered: usize,
    /// The line by which it was over; never, for what the end of the trace cut off.
    pub(crate) left: usize,
}

/// The command that traces the command after it into `file`.
pub(crate) fn strace(file: &Path, more: &[&str]) -> Vec<String> {
    let fixed = ["strace", "-f", "--seccomp-bpf", "-yy", "-xx", "-s", "1000000", "-o"];
    let file = file.to_str().unwrap();
    fixed.into_iter().chain([file]).chain(more.iter().copied()).map(str::to_owned).collect()
}

/// The calls of a trace, in the order in which they were begun.
pub(crate) fn read(file: &Path) -> Vec<Call> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut calls: Vec<Call> = Vec::new();
    for (line, text) in text.lines().enumerate() {
        let (thread, text) = text.split_once(' ').unwrap();
        let text = text.trim_start();
        if let Some(rest) = text.strip_prefix("<... ") {
            let (name, rest) = rest.split_once(" resumed>").unwrap();
            let of_thread = format!("{thread} {name}");
            let call = calls.iter_mut().rev().find(|call| call.left == usize::MAX && call.name == of_thread).unwrap();
            name.clone_into(&mut call.name);
            call.left = line;
            call.result = result_of(rest).to_owned();
        } else if let Some((name, rest)) = text.split_once('(').filter(|_| !text.starts_with(['-', '+'])) {
            let (name, arguments, result, left) = match rest.strip_suffix(" <unfinished ...>") {
                // By which thread, until it is resumed.
                Some(arguments) => (format!("{thread} {name}"), arguments, "", usize::MAX),
                None => (name.to_owned(), rest, result_of(rest), line),
            };
            let arguments = arguments.rsplit_once(") ").map_or(arguments, |(before, _)| before).to_owned();
            calls.push(Call { name, arguments, result: result.to_owned(), entered: line, left });
        }
    }
    for call in &mut calls {
        if let Some((_, name)) = call.name.split_once(' ') {
            call.name = name.to_owned();
        }
    }
    calls
}

fn result_of(text: &str) -> &str {
    text.rsplit_once("= ").map_or("", |(_, result)| result)
}

impl Call {
    /// What it gave, when it went well.
    pub(crate) fn gave(&self) -> Option<u64> {
        self.result.split([' ', '<']).next()?.parse().ok()
    }

    pub(crate) fn is_injected(&self) -> bool {
        self.result.contains("(INJECTED)")
    }

    /// What its first argument, a descriptor, stands for: a path, or the two ends of a connection.
    pub(crate) fn of(&self) -> String {
        // The ends of a connection have an arrow of their own.
        let first = self.arguments.split(", ").next().unwrap_or_default();
        let named = first.split_once('<').and_then(|(_, rest)| rest.rsplit_once('>'));
        named.map(|(name, _)| String::from_utf8_lossy(&unescaped(name)).into_owned()).unwrap_or_default()
    }

    /// Its first argument's number, for those that have an offset.
    pub(crate) fn descriptor(&self) -> u32 {
        self.arguments.split('<').next().unwrap().parse().unwrap()
    }

    /// What `openat` opened, and how.
    pub(crate) fn opened(&self) -> (String, &str) {
        let (path, how) = self.arguments.split_once('"').and_then(|(_, rest)| rest.split_once('"')).unwrap();
        (String::from_utf8_lossy(&unescaped(path)).into_owned(), how)
    }

    /// The bytes that were written, of all that were to be.
    pub(crate) fn data(&self) -> Vec<u8> {
        assert!(!self.arguments.contains("\"..."), "the trace is cut");
        let texts = self.arguments.split('"').skip(1).step_by(2);
        let mut bytes: Vec<u8> = texts.flat_map(unescaped).collect();
        bytes.truncate(usize::try_from(self.gave().unwrap_or(u64::MAX)).unwrap_or(usize::MAX));
        bytes
    }

    /// The argument of this place, counted from 0, a number.
    pub(crate) fn number(&self, place: usize) -> u64 {
        self.arguments.split(", ").nth(place).unwrap().trim_end_matches(')').trim().parse().unwrap()
    }

    /// Our port, of a call on a connection to `port`.
    pub(crate) fn our_port_to(&self, port: u16) -> Option<u16> {
        let ends = self.of();
        let (ours, theirs) = ends.strip_prefix("TCP:[")?.strip_suffix(']')?.split_once("->")?;
        theirs.ends_with(&format!(":{port}")).then(|| ours.rsplit_once(':').unwrap().1.parse().unwrap())
    }
}

/// `\x41\x42` is `AB`; what is not written so stands for itself.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len() / 4), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match after {
            [b'x', high, low, after @ ..] if *first == b'\\' => {
                let digit = |byte: &u8| u8::try_from(char::from(*byte).to_digit(16).unwrap()).unwrap();
                bytes.push(digit(high) * 16 + digit(low));
                rest = after;
            }
            _ => bytes.push(*first),
        }
    }
    bytes
}
