//! Bytes in, records out: RFC 4180 with a memory of one record.

/// Takes CSV apart as it arrives.
///
/// The `csv` crate reads every input to some end, and a quote that is never closed then
/// swallows the rest of the file in silence. Here such a record is reported and reading goes on
/// at its second line, which is why the bytes of the current record are kept.
pub(super) struct Records {
    delimiter: u8,
    most_bytes: usize,
    /// What was pushed and is not yet behind us.
    buffer: Vec<u8>,
    /// Where the current record begins in `buffer`.
    start: usize,
    /// The next byte to look at.
    at: usize,
    /// The line on which the current record begins.
    first_line: u64,
    /// Line breaks seen since.
    breaks: u64,
    /// Where the current record's second line begins in `buffer`.
    second_line: Option<usize>,
    /// Whether the byte before `at` was a carriage return: a line feed now belongs to it.
    after_cr: bool,
    state: State,
    text: Vec<u8>,
    ends: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Plain,
    Quoted,
    /// After a quote in a quoted cell: its end, or the first half of a doubled one.
    Quote,
    /// After the end of a quoted cell, in the blanks before the delimiter.
    Closed,
    /// Text follows the end of a quoted cell: the record is no record, and ends with its line.
    Stray,
    /// The record is given up; the rest of its line is passed over.
    Skip,
}

/// One record that is not blank.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The line on which it begins.
    pub(super) line: u64,
    pub(super) cells: Result<Cells, Unread>,
}

/// A record that has no cells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unread {
    pub(super) fault: Fault,
    /// Its first line, as far as it was read.
    pub(super) line: Vec<u8>,
}

/// The cells, without quotes, end to end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cells {
    pub(super) text: Vec<u8>,
    pub(super) ends: Vec<usize>,
}

/// Why a record has no cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    TooLong,
    Unclosed,
    StrayQuote,
}

impl Records {
    pub(super) fn new(delimiter: u8, most_bytes: usize) -> Records {
        Records {
            delimiter,
            most_bytes,
            buffer: Vec::new(),
            start: 0,
            at: 0,
            first_line: 1,
            breaks: 0,
            second_line: None,
            after_cr: false,
            state: State::CellStart,
            text: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Where the next bytes of the file go.
    pub(super) fn input(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// The next record, or `None` until more is pushed; `last` says that no more will be.
    pub(super) fn next(&mut self, last: bool) -> Option<Record> {
        loop {
            let Some(&byte) = self.buffer.get(self.at) else {
                self.forget();
                return if last { self.rest() } else { None };
            };
            self.at += 1;
            let line_feed_of_cr = self.after_cr && byte == b'\n';
            self.after_cr = byte == b'\r';
            if line_feed_of_cr && self.at == self.start + 1 {
                self.start = self.at;
                continue;
            }
            let is_break = matches!(byte, b'\r' | b'\n');
            let found = if is_break && self.state != State::Quoted {
                let found = self.end();
                self.begin(self.first_line + self.breaks + 1);
                found
            } else {
                if is_break && !line_feed_of_cr {
                    self.breaks += 1;
                }
                if is_break && self.breaks == 1 {
                    self.second_line = Some(self.at);
                }
                self.step(byte)
            };
            if found.is_some() {
                return found;
            }
        }
    }

    /// One byte that does not end the record.
    fn step(&mut self, byte: u8) -> Option<Record> {
        self.state = match self.state {
            State::Skip => {
                self.start = self.at;
                return None;
            }
            State::Quoted if byte == b'"' => State::Quote,
            State::Quote if byte == b'"' => self.add(byte, State::Quoted),
            State::Quoted => self.add(byte, State::Quoted),
            State::Stray => State::Stray,
            _ if byte == self.delimiter => {
                self.ends.push(self.text.len());
                State::CellStart
            }
            // Also after blanks, which are trimmed later: many hands write `a, "b, c"`.
            State::CellStart if byte == b'"' => State::Quoted,
            State::CellStart if byte == b' ' => self.add(byte, State::CellStart),
            State::Quote | State::Closed if byte == b' ' => State::Closed,
            // On one line the rest of it still belongs to the record.
            State::Quote | State::Closed if self.second_line.is_none() => State::Stray,
            State::Quote | State::Closed => return Some(self.give_up(Fault::StrayQuote)),
            State::CellStart | State::Plain => self.add(byte, State::Plain),
        };
        if self.at - self.start <= self.most_bytes {
            return None;
        }
        // A quote left open by mistake runs over many lines; a cell that is long by itself does not.
        let open = self.state == State::Quoted && self.second_line.is_some();
        Some(self.give_up(match self.state {
            State::Stray => Fault::StrayQuote,
            _ if open => Fault::Unclosed,
            _ => Fault::TooLong,
        }))
    }

    fn add(&mut self, byte: u8, state: State) -> State {
        self.text.push(byte);
        state
    }

    /// The record that ends here, unless it is blank.
    fn end(&mut self) -> Option<Record> {
        if self.state == State::Stray {
            let cells = Err(Unread { fault: Fault::StrayQuote, line: self.buffer[self.start..self.at].to_vec() });
            return Some(Record { line: self.first_line, cells });
        }
        let blank = self.text.iter().all(u8::is_ascii_whitespace);
        if self.state == State::Skip || blank {
            return None;
        }
        self.ends.push(self.text.len());
        let cells = Cells { text: std::mem::take(&mut self.text), ends: std::mem::take(&mut self.ends) };
        Some(Record { line: self.first_line, cells: Ok(cells) })
    }

    /// Starts a record at the next byte.
    fn begin(&mut self, line: u64) {
        self.start = self.at;
        self.first_line = line;
        self.breaks = 0;
        self.second_line = None;
        self.state = State::CellStart;
        self.text.clear();
        self.ends.clear();
    }

    /// Reports the record and goes on at its second line.
    ///
    /// Hostile files cost no more than twice their length: the lines between held only pairs
    /// of quotes, or the record had ended there, so on their own they open nothing.
    fn give_up(&mut self, fault: Fault) -> Record {
        let line = self.first_line;
        let read = self.second_line.unwrap_or(self.at);
        let unread = Unread { fault, line: self.buffer[self.start..read].to_vec() };
        match self.second_line {
            // The line on which the record ended is known to be wrong only if it began here.
            Some(second) if fault != Fault::TooLong => {
                self.at = second;
                self.after_cr = self.buffer[second - 1] == b'\r';
                self.begin(line + 1);
            }
            _ => {
                let breaks = self.breaks;
                self.begin(line + breaks);
                self.state = State::Skip;
            }
        }
        Record { line, cells: Err(unread) }
    }

    /// What is left at the end of the file.
    fn rest(&mut self) -> Option<Record> {
        if self.state == State::Quoted {
            let fault = self.give_up(Fault::Unclosed);
            return Some(fault);
        }
        let found = self.end();
        self.begin(self.first_line);
        found
    }

    /// Drops the bytes that are behind us.
    fn forget(&mut self) {
        self.buffer.drain(..self.start);
        self.at -= self.start;
        self.second_line = self.second_line.map(|second| second - self.start);
        self.start = 0;
    }
}
