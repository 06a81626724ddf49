//! The client's side: what a process asks its group leader, or another device.

use runtime::{Ctx, Down, To};
use term::{Atom, FromTerm, Pid, Term};

use super::text_of;
use crate::rpc::Arguments;

/// Why a device did not do as it was asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum IoError {
    /// It is not there, or ended before it answered, or its node was lost.
    #[error("terminated: the device is not there any more")]
    Terminated,
    /// `{error, Reason}`.
    #[error("refused by the device: {0:?}")]
    Refused(Term),
    /// It answered something that is no answer to this.
    #[error("the device does not keep to the I/O protocol: it answered {0:?}")]
    Strange(Term),
}

/// Somebody who speaks the I/O protocol: a group leader, `user` of some node, an open file of OTP's.
#[derive(Clone, Debug, PartialEq)]
pub enum Device {
    /// The process of this pid.
    Pid(Pid),
    /// The process of this name, on this node.
    Name(Atom),
    /// The process of this name on another node.
    NameAt(Atom, Atom),
}

impl From<Pid> for Device {
    fn from(pid: Pid) -> Device {
        Device::Pid(pid)
    }
}

impl From<&Pid> for Device {
    fn from(pid: &Pid) -> Device {
        Device::Pid(pid.clone())
    }
}

impl From<&str> for Device {
    fn from(name: &str) -> Device {
        Device::Name(Atom::new(name))
    }
}

impl From<(&str, &str)> for Device {
    fn from((name, node): (&str, &str)) -> Device {
        Device::NameAt(Atom::new(name), Atom::new(node))
    }
}

/// A pid, a name, or `{Name, Node}`; `standard_io` is the group leader of whoever reads this.
impl FromTerm for Device {
    fn from_term(term: &Term) -> Result<Device, term::Mismatch> {
        match term {
            Term::Pid(pid) => Ok(Device::Pid(pid.clone())),
            Term::Atom(name) => Ok(Device::Name(name.clone())),
            Term::Tuple(pair) => match pair.as_slice() {
                [Term::Atom(name), Term::Atom(node)] => Ok(Device::NameAt(name.clone(), node.clone())),
                _ => Err(term::Mismatch::expected("a device")),
            },
            _ => Err(term::Mismatch::expected("a device")),
        }
    }
}

impl Device {
    /// The group leader of a process.
    pub fn of(ctx: &Ctx) -> Device {
        Device::Pid(ctx.group_leader())
    }

    fn to(&self, ctx: &Ctx) -> To<'static> {
        match self {
            Device::Pid(pid) => To::Pid(pid.clone()),
            Device::Name(name) if *name == "standard_io" => To::Pid(ctx.group_leader()),
            // What OTP writes to standard error goes where all of our output goes.
            Device::Name(name) if *name == "standard_error" => To::Name(Atom::new("user")),
            Device::Name(name) => To::Name(name.clone()),
            Device::NameAt(name, node) => To::NameAt(name.clone(), node.clone()),
        }
    }

    /// Has it show this text.
    ///
    /// # Errors
    /// When it does not.
    pub async fn put_chars(&self, ctx: &mut Ctx, text: &str) -> Result<(), IoError> {
        done(request(ctx, self, encoded("put_chars", [Term::binary(text)])).await?)
    }

    /// Has it show the text of a format and its arguments: a tuple of values, or a `Vec<Term>`. (`io:format/3`.)
    ///
    /// # Errors
    /// When it does not; [`IoError::Refused`] also when format and arguments do not go together.
    pub async fn format(
        &self,
        ctx: &mut Ctx,
        format: &str,
        arguments: impl Arguments,
    ) -> Result<(), IoError> {
        let arguments = Term::list(arguments.into_terms());
        let request_ = encoded(
            "put_chars",
            [Term::atom("io_lib"), Term::atom("format"), Term::list([Term::string(format), arguments])],
        );
        done(request(ctx, self, request_).await?)
    }

    /// A line with its end, or nothing at the end of input. (`io:get_line/2`.)
    ///
    /// # Errors
    /// When it gives none.
    pub async fn get_line(&self, ctx: &mut Ctx, prompt: &str) -> Result<Option<String>, IoError> {
        text(request(ctx, self, encoded("get_line", [Term::binary(prompt)])).await?)
    }

    /// So many characters, fewer at the end of input, nothing behind it. (`io:get_chars/3`.)
    ///
    /// # Errors
    /// When it gives none.
    pub async fn get_chars(
        &self,
        ctx: &mut Ctx,
        prompt: &str,
        count: usize,
    ) -> Result<Option<String>, IoError> {
        let count = Term::Int(i64::try_from(count).unwrap_or(i64::MAX));
        text(request(ctx, self, encoded("get_chars", [Term::binary(prompt), count])).await?)
    }

    /// A line that is not shown while it is typed, without its end.
    ///
    /// # Errors
    /// When it gives none.
    pub async fn get_password(&self, ctx: &mut Ctx) -> Result<Option<String>, IoError> {
        text(request(ctx, self, encoded("get_password", [])).await?)
    }

    /// Its options, by name. (`io:getopts/1`.)
    ///
    /// # Errors
    /// When it does not tell.
    pub async fn getopts(&self, ctx: &mut Ctx) -> Result<Vec<(Atom, Term)>, IoError> {
        let answer = request(ctx, self, Term::atom("getopts")).await?;
        Vec::<(Atom, Term)>::from_term(&answer).map_err(|_| IoError::Strange(answer))
    }

    /// Sets options, such as `[binary, {encoding, unicode}]`. (`io:setopts/2`.)
    ///
    /// # Errors
    /// When it does not know one of them.
    pub async fn setopts(
        &self,
        ctx: &mut Ctx,
        options: impl IntoIterator<Item = Term>,
    ) -> Result<(), IoError> {
        let request_ = Term::tuple([Term::atom("setopts"), Term::list(options)]);
        done(request(ctx, self, request_).await?)
    }

    /// How wide it is, in characters. (`io:columns/1`.)
    ///
    /// # Errors
    /// When it is no terminal.
    pub async fn columns(&self, ctx: &mut Ctx) -> Result<u32, IoError> {
        self.geometry(ctx, "columns").await
    }

    /// How high it is, in lines. (`io:rows/1`.)
    ///
    /// # Errors
    /// When it is no terminal.
    pub async fn rows(&self, ctx: &mut Ctx) -> Result<u32, IoError> {
        self.geometry(ctx, "rows").await
    }

    async fn geometry(&self, ctx: &mut Ctx, what: &str) -> Result<u32, IoError> {
        let answer = request(ctx, self, Term::tuple([Term::atom("get_geometry"), Term::atom(what)])).await?;
        u32::from_term(&answer).map_err(|_| IoError::Strange(answer))
    }

    /// Several requests at once, in this order; it stops at the first that fails. Gives the answer to the last.
    ///
    /// # Errors
    /// When one of them fails.
    pub async fn requests(
        &self,
        ctx: &mut Ctx,
        requests: impl IntoIterator<Item = Term>,
    ) -> Result<Term, IoError> {
        request(ctx, self, Term::tuple([Term::atom("requests"), Term::list(requests)])).await
    }
}

/// Asks a device anything, and gives its answer.
///
/// # Errors
/// When the device is not there or answers `{error, Reason}`.
///
/// # Cancel-safety
/// The device is not told when the future is dropped: it may still do as it was asked, and its answer comes as a message.
pub async fn request(ctx: &mut Ctx, device: &Device, request: Term) -> Result<Term, IoError> {
    let to = device.to(ctx);
    let (me, mark) = (ctx.pid(), ctx.mark());
    if matches!(&to, To::Pid(pid) if *pid == me) {
        // Nobody can wait for himself.
        return Err(IoError::Terminated);
    }
    let monitor = ctx.monitor(device.to(ctx));
    let reply_as = Term::Ref(monitor.clone());
    ctx.send(to, Term::tuple([Term::atom("io_request"), Term::Pid(me), reply_as.clone(), request]));
    let answer = ctx
        .select_from(mark, |message| match message.as_tuple() {
            Some([word, mine, reply]) if word.is_atom("io_reply") && *mine == reply_as => {
                Some(Some(reply.clone()))
            }
            Some([_, mine, ..]) if *mine == reply_as && Down::from_term(message).is_ok() => Some(None),
            _ => None,
        })
        .await;
    ctx.demonitor(&monitor, true);
    let answer = answer.ok_or(IoError::Terminated)?;
    match answer.as_tuple() {
        Some([word, reason]) if word.is_atom("error") && reason.is_atom("terminated") => {
            Err(IoError::Terminated)
        }
        Some([word, reason]) if word.is_atom("error") => Err(IoError::Refused(reason.clone())),
        _ => Ok(answer),
    }
}

/// `{Word, unicode, Rest...}`.
fn encoded<const N: usize>(word: &str, rest: [Term; N]) -> Term {
    let words = [Term::atom(word), Term::atom("unicode")];
    Term::Tuple(words.into_iter().chain(rest).collect())
}

fn done(answer: Term) -> Result<(), IoError> {
    if answer.is_atom("ok") { Ok(()) } else { Err(IoError::Strange(answer)) }
}

fn text(answer: Term) -> Result<Option<String>, IoError> {
    if answer.is_atom("eof") {
        return Ok(None);
    }
    text_of(&answer).map(Some).ok_or(IoError::Strange(answer))
}

/// Shows a text at the group leader of this process. (`io:put_chars/1`.)
///
/// # Errors
/// As [`Device::put_chars`].
///
/// # Cancel-safety
/// As [`request`].
pub async fn put_chars(ctx: &mut Ctx, text: &str) -> Result<(), IoError> {
    Device::of(ctx).put_chars(ctx, text).await
}

/// Shows the text of a format and its arguments at the group leader of this process. (`io:format/2`.)
///
/// # Errors
/// As [`Device::format`].
///
/// # Cancel-safety
/// As [`request`].
pub async fn format(ctx: &mut Ctx, format: &str, arguments: impl Arguments) -> Result<(), IoError> {
    Device::of(ctx).format(ctx, format, arguments).await
}

/// A line from the group leader of this process, with its end; nothing at the end of input. (`io:get_line/1`.)
///
/// # Errors
/// As [`Device::get_line`].
///
/// # Cancel-safety
/// As [`request`].
pub async fn get_line(ctx: &mut Ctx, prompt: &str) -> Result<Option<String>, IoError> {
    Device::of(ctx).get_line(ctx, prompt).await
}

/// So many characters from the group leader of this process. (`io:get_chars/2`.)
///
/// # Errors
/// As [`Device::get_chars`].
///
/// # Cancel-safety
/// As [`request`].
pub async fn get_chars(ctx: &mut Ctx, prompt: &str, count: usize) -> Result<Option<String>, IoError> {
    Device::of(ctx).get_chars(ctx, prompt, count).await
}

/// The options of the group leader of this process. (`io:getopts/0`.)
///
/// # Errors
/// As [`Device::getopts`].
///
/// # Cancel-safety
/// As [`request`].
pub async fn getopts(ctx: &mut Ctx) -> Result<Vec<(Atom, Term)>, IoError> {
    Device::of(ctx).getopts(ctx).await
}

/// Sets options of the group leader of this process. (`io:setopts/1`.)
///
/// # Errors
/// As [`Device::setopts`].
///
/// # Cancel-safety
/// As [`request`].
pub async fn setopts(ctx: &mut Ctx, options: impl IntoIterator<Item = Term>) -> Result<(), IoError> {
    Device::of(ctx).setopts(ctx, options).await
}

/// How wide the terminal of this process is. (`io:columns/0`.)
///
/// # Errors
/// As [`Device::columns`].
///
/// # Cancel-safety
/// As [`request`].
pub async fn columns(ctx: &mut Ctx) -> Result<u32, IoError> {
    Device::of(ctx).columns(ctx).await
}

/// How high the terminal of this process is. (`io:rows/0`.)
///
/// # Errors
/// As [`Device::rows`].
///
/// # Cancel-safety
/// As [`request`].
pub async fn rows(ctx: &mut Ctx) -> Result<u32, IoError> {
    Device::of(ctx).rows(ctx).await
}

/// Several requests at once to the group leader of this process.
///
/// # Errors
/// As [`Device::requests`].
///
/// # Cancel-safety
/// As [`request`].
pub async fn requests(ctx: &mut Ctx, requests: impl IntoIterator<Item = Term>) -> Result<Term, IoError> {
    Device::of(ctx).requests(ctx, requests).await
}
