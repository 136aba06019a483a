"""Every table of the product, loaded: for migrations, scripts and the app."""

from outreach.accounts import models as accounts
from outreach.audit import models as audit
from outreach.calls import models as calls
from outreach.concerns import models as concerns
from outreach.exports import models as exports
from outreach.factors import models as factors
from outreach.goals import models as goals
from outreach.inbox import models as inbox
from outreach.intake import models as intake
from outreach.measures import models as measures
from outreach.messaging import models as messaging
from outreach.panels import models as panels
from outreach.patient_list import models as patient_list
from outreach.patients import models as patients
from outreach.phoning import models as phoning
from outreach.planning import models as planning
from outreach.programmes import models as programmes
from outreach.questionnaires import models as questionnaires
from outreach.reports import models as reports
from outreach.searching import index
from outreach.searching import models as searching
from outreach.welfare import models as welfare
from outreach.wordings import models as wordings

ALL = (
    accounts,
    audit,
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
    questionnaires,
    reports,
    welfare,
    searching,
    index,  # listens to what is written
    patient_list,
    exports,
)
