//! Collections of requests: many calls under way, each with a label, answered in whatever order.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use term::{FromTerm, Term};

use super::{Error, RequestId};

/// Calls under way, each with a label of the program's own. (`erpc:reqids_new/0`.)
///
/// A response is given once, and its request is taken out with it; use [`RequestIds::keeping`] for the form of OTP's functions
/// that leaves answered requests in. Looking for a response looks at every request that is still under way.
#[derive(Debug)]
pub struct RequestIds<R = Term, L = ()> {
    requests: Vec<(RequestId<R>, L)>,
    keep: bool,
}

/// What there is of the responses of a collection.
#[derive(Debug, PartialEq)]
pub enum Response<R, L> {
    /// The result of one call, and its label.
    Response(Result<R, Error>, L),
    /// No call has been answered (in time); all go on.
    NoResponse,
    /// The collection is empty.
    NoRequest,
}

impl<R, L> Default for RequestIds<R, L> {
    fn default() -> RequestIds<R, L> {
        RequestIds { requests: Vec::new(), keep: false }
    }
}

impl<R: FromTerm, L> RequestIds<R, L> {
    /// An empty collection.
    pub fn new() -> RequestIds<R, L> {
        RequestIds::default()
    }

    /// An empty collection in which answered requests stay. (`Delete = false`.)
    pub fn keeping() -> RequestIds<R, L> {
        RequestIds { keep: true, ..RequestIds::default() }
    }

    /// Adds a request. (`erpc:reqids_add/3`; `erpc:send_request/6`.)
    pub fn add(&mut self, request: RequestId<R>, label: L) {
        self.requests.push((request, label));
    }

    /// How many requests are in it. (`erpc:reqids_size/1`.)
    pub fn size(&self) -> usize {
        self.requests.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// The requests and their labels. (`erpc:reqids_to_list/1`.)
    pub fn into_list(self) -> Vec<(RequestId<R>, L)> {
        self.requests
    }

    /// The labels, in the order in which the requests were added.
    pub fn labels(&self) -> impl Iterator<Item = &L> {
        self.requests.iter().map(|(_, label)| label)
    }
}

impl<R: FromTerm, L: Clone> RequestIds<R, L> {
    /// Waits for the next response, for at most `within` (`None`: as long as it takes); nothing when the collection is empty.
    /// (`erpc:receive_response/3`.)
    ///
    /// # Errors
    /// [`Error::Timeout`] when the time is over: all requests are given up then, and the collection is empty. Of a
    /// collection that keeps, all of whose requests are answered, no response can come: that is [`Error::Timeout`] too,
    /// at once when there is no time.
    ///
    /// # Cancel-safety
    /// A response that was not given stays.
    pub async fn receive_response(
        &mut self,
        within: impl Into<Option<Duration>>,
    ) -> Result<Option<(Result<R, Error>, L)>, Error> {
        match self.wait_response(within).await {
            Response::Response(result, label) => Ok(Some((result, label))),
            Response::NoRequest => Ok(None),
            Response::NoResponse => {
                self.requests.clear();
                Err(Error::Timeout)
            }
        }
    }

    /// As [`RequestIds::receive_response`], but all go on when the time is over. (`erpc:wait_response/3`.)
    ///
    /// # Cancel-safety
    /// A response that was not given stays.
    pub async fn wait_response(&mut self, within: impl Into<Option<Duration>>) -> Response<R, L> {
        match self.check_response() {
            Response::NoResponse => {}
            known => return known,
        }
        let within = within.into();
        if within.is_none() && self.requests.iter().all(|(request, _)| request.is_done()) {
            return Response::NoResponse;
        }
        let next = poll_fn(|cx| {
            for index in 0..self.requests.len() {
                let request = &mut self.requests[index].0;
                if request.is_done() {
                    continue;
                }
                if let Poll::Ready(result) = Pin::new(request).poll(cx) {
                    return Poll::Ready((result, index));
                }
            }
            Poll::Pending
        });
        let came = match within {
            None => Some(next.await),
            Some(within) if within.is_zero() => None,
            Some(within) => tokio::time::timeout(within, next).await.ok(),
        };
        came.map_or(Response::NoResponse, |(result, index)| self.give(result, index))
    }

    /// A response that is there already, if any. (`erpc:check_response/3`.)
    pub fn check_response(&mut self) -> Response<R, L> {
        if self.requests.is_empty() {
            return Response::NoRequest;
        }
        let mut requests = self.requests.iter_mut().enumerate();
        let came = requests.find_map(|(index, (request, _))| Some((request.check_response()?, index)));
        came.map_or(Response::NoResponse, |(result, index)| self.give(result, index))
    }

    fn give(&mut self, result: Result<R, Error>, index: usize) -> Response<R, L> {
        let label = if self.keep { self.requests[index].1.clone() } else { self.requests.remove(index).1 };
        Response::Response(result, label)
    }
}
