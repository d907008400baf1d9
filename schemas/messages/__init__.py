"""Every message, one file each."""

from schemas.messages.alert import Alert
from schemas.messages.answer import Answer
from schemas.messages.call import (
    Call,
    CallError,
    ChatMessage,
    Choice,
    Document,
    ExpectedFormat,
    Tokens,
    ToolCall,
)
from schemas.messages.command import Command
from schemas.messages.dead_letter import DeadLetter
from schemas.messages.deployment import Deployment
from schemas.messages.embedding import Embedding
from schemas.messages.feedback import Feedback
from schemas.messages.message import UNDECODABLE, Message, Timestamp
from schemas.messages.outcome import Outcome
from schemas.messages.refusal import Refusal
from schemas.messages.score import Score, Span
from schemas.messages.segment import Segment, Target
from schemas.messages.window import DriftTest, Sketch, Window

__all__ = [
    "UNDECODABLE",
    "Alert",
    "Answer",
    "Call",
    "CallError",
    "ChatMessage",
    "Choice",
    "Command",
    "DeadLetter",
    "Deployment",
    "Document",
    "DriftTest",
    "Embedding",
    "ExpectedFormat",
    "Feedback",
    "Message",
    "Outcome",
    "Refusal",
    "Score",
    "Segment",
    "Sketch",
    "Span",
    "Target",
    "Timestamp",
    "Tokens",
    "ToolCall",
    "Window",
]
