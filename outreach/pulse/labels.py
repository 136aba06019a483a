"""The words of the monthly question, as the study has them."""

from flask_babel import lazy_gettext as _l

from outreach.pulse.rules import Acts

ACTS_WORDS = {
    Acts.MANAGER: _l("manager"),
    Acts.LEAD: _l("lead"),
    Acts.ADMINISTRATOR: _l("administrator"),
}
QUESTION = _l(
    "Overall, based on your definition of burnout, how would you rate your level of burnout?"
)
ANSWER_WORDS = {
    1: _l("I enjoy my work. I have no symptoms of burnout."),
    2: _l(
        "Occasionally I am under stress, and I don't always have as much energy as I once did, "
        "but I don't feel burned out."
    ),
    3: _l(
        "I am definitely burning out and have one or more symptoms of burnout, such as physical "
        "and emotional exhaustion."
    ),
    4: _l(
        "The symptoms of burnout that I'm experiencing won't go away. I think about frustration "
        "at work a lot."
    ),
    5: _l(
        "I feel completely burned out and often wonder if I can go on. I am at the point where I "
        "may need some changes or may need to seek some sort of help."
    ),
}
