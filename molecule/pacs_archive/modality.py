"""A modality with pynetdicom over mutual TLS, for what DCMTK's tools cannot do: prints what came of it as JSON.

modality.py retrieve TITLE ARCHIVE STUDY   ask for a study by C-GET, and print which images came
modality.py commit TITLE ARCHIVE INSTANCE  ask the archive to confirm that it keeps an image, and print its report
"""

import json
import ssl
import sys
from queue import Empty, Queue

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import (
    SecondaryCaptureImageStorage,
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    StudyRootQueryRetrieveInformationModelGet,
)

PKI = "/etc/wardround/pki"
PORT, OWN_PORT = 2762, 11112
SECONDS = 20


def context(purpose: ssl.Purpose) -> ssl.SSLContext:
    """Mutual TLS, whoever connects."""
    made = ssl.create_default_context(purpose, cafile=f"{PKI}/ca.crt")
    made.load_cert_chain(f"{PKI}/host.crt", f"{PKI}/host.key")
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def retrieve(entity: AE, archive: str, study: str) -> dict[str, object]:
    """Ask for a study on the same association."""
    came: list[str] = []

    def keep(event: evt.Event) -> int:
        came.append(str(event.dataset.SOPInstanceUID))
        return 0x0000

    entity.add_requested_context(StudyRootQueryRetrieveInformationModelGet)
    entity.add_requested_context(SecondaryCaptureImageStorage)
    association = entity.associate(
        archive,
        PORT,
        ae_title="ARCHIVE",
        ext_neg=[build_role(SecondaryCaptureImageStorage, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, keep)],
        tls_args=(context(ssl.Purpose.SERVER_AUTH), archive),
    )
    if not association.is_established:
        return {"established": False}
    wanted = Dataset()
    wanted.QueryRetrieveLevel = "STUDY"
    wanted.StudyInstanceUID = study
    answers = association.send_c_get(wanted, StudyRootQueryRetrieveInformationModelGet)
    statuses = [getattr(status, "Status", None) for status, _ in answers]
    association.release()
    return {"established": True, "status": statuses[-1] if statuses else None, "came": sorted(came)}


def commit(entity: AE, archive: str, instance: str) -> dict[str, object]:
    """Ask for storage commitment, and wait for the association that the archive opens to report."""
    reports: Queue[dict[str, object]] = Queue()

    def note(event: evt.Event) -> tuple[int, None]:
        told = event.event_information
        kept = [str(item.ReferencedSOPInstanceUID) for item in told.get("ReferencedSOPSequence", [])]
        lost = [str(item.ReferencedSOPInstanceUID) for item in told.get("FailedSOPSequence", [])]
        caller = event.assoc.requestor.ae_title
        reports.put({"transaction": str(told.TransactionUID), "kept": kept, "lost": lost, "caller": caller})
        return 0x0000, None

    own = AE(ae_title=entity.ae_title)
    own.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
    server = own.start_server(
        ("", OWN_PORT),
        block=False,
        ssl_context=context(ssl.Purpose.CLIENT_AUTH),
        evt_handlers=[(evt.EVT_N_EVENT_REPORT, note)],
    )
    try:
        entity.add_requested_context(StorageCommitmentPushModel)
        association = entity.associate(
            archive, PORT, ae_title="ARCHIVE", tls_args=(context(ssl.Purpose.SERVER_AUTH), archive)
        )
        if not association.is_established:
            return {"established": False}
        item = Dataset()
        item.ReferencedSOPClassUID = SecondaryCaptureImageStorage
        item.ReferencedSOPInstanceUID = instance
        asked = Dataset()
        asked.TransactionUID = generate_uid()
        asked.ReferencedSOPSequence = [item]
        status, _ = association.send_n_action(asked, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance)
        taken = getattr(status, "Status", None)
        if association.is_established:
            association.release()
        answer = {"established": True, "status": taken, "transaction": str(asked.TransactionUID)}
        try:
            return answer | {"report": reports.get(timeout=SECONDS if taken == 0 else 3)}
        except Empty:
            return answer | {"report": None}
    finally:
        server.shutdown()


def main() -> None:
    """Do one thing as the modality with a title."""
    verb, title, archive, uid = sys.argv[1:]
    entity = AE(ae_title=title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = SECONDS
    print(json.dumps((retrieve if verb == "retrieve" else commit)(entity, archive, uid)))


if __name__ == "__main__":
    main()
