from .promises import Check as Check
from .promises import ConformanceError as ConformanceError
from .promises import InapplicableError as InapplicableError
from .tried import checks as checks
from .tried import checks_of as checks_of
from .tried import promised as promised
