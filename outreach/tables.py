"""Every table of the product, loaded: for migrations, scripts and the app."""

from outreach.access_keys import models as access_keys
from outreach.accounts import models as accounts
from outreach.audit import models as audit
from outreach.brakes import models as brakes
from outreach.calls import last_talk
from outreach.calls import models as calls
from outreach.concerns import models as concerns
from outreach.exports import models as exports
from outreach.factors import models as factors
from outreach.goals import models as goals
from outreach.inbox import models as inbox
from outreach.intake import models as intake
from outreach.measures import models as measures
from outreach.measures import newest
from outreach.messaging import models as messaging
from outreach.panels import models as panels
from outreach.patient_list import models as patient_list
from outreach.patients import models as patients
from outreach.phoning import models as phoning
from outreach.planning import models as planning
from outreach.programmes import models as programmes
from outreach.pulse import models as pulse
from outreach.questionnaires import models as questionnaires
from outreach.reports import models as reports
from outreach.retention import models as retention
from outreach.searching import index
from outreach.searching import models as searching
from outreach.typed import models as typed
from outreach.upkeep import models as upkeep
from outreach.visits import models as visits
from outreach.welfare import models as welfare
from outreach.wordings import models as wordings

ALL = (
    accounts,
    access_keys,
    audit,
    brakes,
    calls,
    concerns,
    factors,
    goals,
    inbox,
    intake,
    measures,
    messaging,
    wordings,
    panels,
    patients,
    phoning,
    planning,
    programmes,
    pulse,
    questionnaires,
    reports,
    visits,
    welfare,
    retention,
    searching,
    index,  # these listen to what is written
    newest,
    last_talk,
    patient_list,
    exports,
    typed,
    upkeep,
)
