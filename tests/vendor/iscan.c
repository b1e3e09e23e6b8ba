/* The library iscandrv of Thorsis' isCAN cards, emulated: devices 0 to 15, all on one bus, "can".
 *
 * Hooks: "configured" (a mask of the devices that the vendor's tool knows, 3), "attached" (likewise, those that are
 * plugged in), "busy" (the device is transmitting all the time), "repeats" (every device of the list is
 * the first one). An injected record of
 * KIND_ERROR or KIND_STATE is a status code that receiving returns once; KIND_OVERRUN is a buffer overrun.
 * With -DOLD the functions that old versions lack are missing.
 */
#include "stub.h"

enum { DEVICES = 16, DEPTH = 4096 };
enum {
    DONE = 0, NO_ACCESS = 1, NO_DEVICE = 2, PARAMETER = 4, TRANSMITTING = 7, NOTHING = 8, OVERRUN = 11,
    NOT_INITIALISED = 12, REMOVED = 13, IN_USE = 15, BUS_ERROR = 16,
};
enum { NOT_CONFIGURED = 0x20, CONFIGURED = 0x40, NEXT = 0x80 };

typedef struct {
    uint32_t id;
    uint8_t isExtended, remoteReq, dataLen, data[8];
} isCANMsgEx;
_Static_assert(sizeof(isCANMsgEx) == 16 && offsetof(isCANMsgEx, dataLen) == 6 && offsetof(isCANMsgEx, data) == 7, "");

#pragma pack(push, 1)
typedef struct {
    uint8_t type;
    uint32_t deviceId;
    uint8_t attached, inUse;
} isCANDevice;
#pragma pack(pop)
_Static_assert(sizeof(isCANDevice) == 7 && offsetof(isCANDevice, deviceId) == 1, "");

static struct Own {
    int is_open, is_removed, port;
    uint8_t code, btr0, btr1;
    uint32_t filter;
} own[DEVICES];
static int next_device;

static const uint32_t rates[] = {0, 10000, 20000, 50000, 100000, 125000, 250000, 500000, 800000, 1000000};

static int has(const char *which, uint32_t device) { return device < DEVICES && hook(which, 3) >> device & 1; }

/* The device if it is open, else NULL and *status. */
static struct Own *of(const char *function, uint8_t device, uint8_t *status) {
    struct Own *o = device < DEVICES ? &own[device] : NULL;
    if (!o || !o->is_open) {
        violation("%s: device %u is not initialised", function, device);
        *status = NOT_INITIALISED;
        return NULL;
    }
    if (o->is_removed) {
        *status = REMOVED;
        return NULL;
    }
    return o;
}

EXPORT uint8_t isCAN_DeviceInitEx(uint8_t device, uint8_t code) {
    called("isCAN_DeviceInitEx %u %u", device, code);
    int64_t status;
    if (told_to_fail("isCAN_DeviceInitEx", &status)) return (uint8_t)status;
    if (!has("configured", device) || !has("attached", device)) return NO_DEVICE;
    if (!code || code > 9) {
        violation("isCAN_DeviceInitEx: code %u leaves the device offline", code);
        return PARAMETER;
    }
    struct Own *o = &own[device];
    if (o->is_open) return IN_USE;
    memset(o, 0, sizeof *o);
    o->port = port_open("can", DEPTH, rates[code], 0);
    o->code = code;
    o->is_open = 1;
    opened(1);
    return DONE;
}

EXPORT uint8_t isCAN_CloseDevice(uint8_t device) {
    called("isCAN_CloseDevice %u", device);
    struct Own *o = device < DEVICES ? &own[device] : NULL;
    if (!o || !o->is_open) {
        violation("isCAN_CloseDevice: device %u is not initialised", device);
        return NOT_INITIALISED;
    }
    port_close(o->port);
    o->is_open = 0;
    opened(-1);
    int64_t status = o->is_removed ? REMOVED : DONE;
    told_to_fail("isCAN_CloseDevice", &status); /* a failure that is reported after the fact */
    return (uint8_t)status;
}

EXPORT uint8_t isCAN_ReceiveMessageEx(uint8_t device, isCANMsgEx *message) {
    called("isCAN_ReceiveMessageEx %u", device);
    uint8_t status = DONE;
    int64_t told;
    if (told_to_fail("isCAN_ReceiveMessageEx", &told)) return (uint8_t)told;
    struct Own *o = of("isCAN_ReceiveMessageEx", device, &status);
    if (!o) return status;
    if (!message) return PARAMETER;
    memset(message, 0xA5, sizeof *message);
    Record record;
    if (__atomic_exchange_n(&ports[o->port].overrun, 0, __ATOMIC_ACQ_REL)) return OVERRUN;
    if (!port_take(o->port, &record)) return NOTHING;
    if (record.kind == KIND_OVERRUN) return OVERRUN;
    if (record.kind != KIND_FRAME) return record.code ? (uint8_t)record.code : BUS_ERROR; /* 0: the bit rates differ */
    message->id = record.id;
    message->isExtended = !!(record.flags & FLAG_EXTENDED);
    message->remoteReq = !!(record.flags & FLAG_REMOTE);
    message->dataLen = record.length;
    if (!message->remoteReq) memcpy(message->data, record.data, 8);
    return DONE;
}

EXPORT uint8_t isCAN_TransmitMessageEx(uint8_t device, const isCANMsgEx *message) {
    called("isCAN_TransmitMessageEx %u id %x extended %u remote %u length %u", device, message->id, message->isExtended,
           message->remoteReq, message->dataLen);
    uint8_t status = DONE;
    int64_t told;
    if (told_to_fail("isCAN_TransmitMessageEx", &told)) return (uint8_t)told;
    struct Own *o = of("isCAN_TransmitMessageEx", device, &status);
    if (!o) return status;
    if (message->isExtended > 1 || message->remoteReq > 1) violation("isCAN_TransmitMessageEx: a flag is not 0 or 1");
    if (message->id > (message->isExtended ? 0x1FFFFFFFu : 0x7FFu))
        violation("isCAN_TransmitMessageEx: identifier %x", message->id);
    if (message->dataLen > 8) {
        violation("isCAN_TransmitMessageEx: length %u", message->dataLen);
        return PARAMETER;
    }
    if (hook("busy", 0)) return TRANSMITTING;
    Record record = {.magic = MAGIC, .kind = KIND_FRAME, .length = message->dataLen, .id = message->id};
    if (message->isExtended) record.flags |= FLAG_EXTENDED;
    if (message->remoteReq) record.flags |= FLAG_REMOTE;
    else memcpy(record.data, message->data, 8);
    port_send(o->port, record);
    return DONE;
}

#ifndef OLD
EXPORT uint8_t isCAN_SetMessageExID(uint8_t device, uint32_t id) {
    called("isCAN_SetMessageExID %u %x", device, id);
    uint8_t status = DONE;
    int64_t told;
    if (told_to_fail("isCAN_SetMessageExID", &told)) return (uint8_t)told;
    struct Own *o = of("isCAN_SetMessageExID", device, &status);
    if (o) o->filter = id;
    return status;
}

EXPORT uint8_t isCAN_SetBaudRegister(uint8_t device, uint8_t btr0, uint8_t btr1) {
    called("isCAN_SetBaudRegister %u %x %x", device, btr0, btr1);
    uint8_t status = DONE;
    int64_t told;
    if (told_to_fail("isCAN_SetBaudRegister", &told)) return (uint8_t)told;
    struct Own *o = of("isCAN_SetBaudRegister", device, &status);
    if (o) o->btr0 = btr0, o->btr1 = btr1;
    return status;
}

EXPORT uint8_t isCAN_AttachedDevices(uint8_t flag, isCANDevice *info) {
    called("isCAN_AttachedDevices %x", flag);
    int64_t told;
    if (told_to_fail("isCAN_AttachedDevices", &told)) return (uint8_t)told;
    if (!info || !(flag & (NOT_CONFIGURED | CONFIGURED))) return PARAMETER;
    if (!(flag & NEXT)) next_device = 0;
    while (next_device < DEVICES && !has("configured", (uint32_t)next_device)) next_device++;
    if (next_device == DEVICES) return NO_DEVICE;
    memset(info, 0xA5, sizeof *info);
    info->type = 1;
    info->deviceId = (uint32_t)next_device;
    info->attached = (uint8_t)has("attached", (uint32_t)next_device);
    info->inUse = (uint8_t)own[next_device].is_open;
    if (hook("repeats", 0)) return DONE; /* "next" does not go on */
    next_device++;
    return DONE;
}
#endif

/* The twins of another calling convention: whoever calls them has taken the wrong names. */
EXPORT int32_t isCANvb_DeviceInitEx(uint8_t device, uint8_t code) {
    violation("isCANvb_DeviceInitEx %u %u", device, code);
    return PARAMETER;
}

/* --- the kit --------------------------------------------------------------------------------------------- */

static void library_reset(void) {
    for (int i = 0; i < DEVICES; i++) {
        if (own[i].is_open) port_close(own[i].port);
        memset(&own[i], 0, sizeof own[i]);
    }
    next_device = 0;
}

static int64_t library_layout(const char *structure, const char *field) {
    LAYOUT(isCANMsgEx) FIELD(isCANMsgEx, id) FIELD(isCANMsgEx, isExtended) FIELD(isCANMsgEx, remoteReq)
    FIELD(isCANMsgEx, dataLen) FIELD(isCANMsgEx, data)
    LAYOUT(isCANDevice) FIELD(isCANDevice, type) FIELD(isCANDevice, deviceId) FIELD(isCANDevice, attached)
    FIELD(isCANDevice, inUse)
    return -1;
}

static int library_inject(int32_t channel, const Record *record) {
    if (channel < 0 || channel >= DEVICES || !own[channel].is_open) return -1;
    port_put(&ports[own[channel].port], record);
    return 0;
}

static void library_unplug(int32_t device) {
    for (int i = 0; i < DEVICES; i++)
        if (device < 0 || device == i) own[i].is_removed = 1;
}
