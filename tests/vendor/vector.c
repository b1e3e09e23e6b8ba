/* An emulated XL Driver Library of Vector, written from the tables of its interface.
 *
 * Two virtual channels (indexes 0 and 1) and a VN1610 with two channels (2 and 3, serial number 100) are on one bus.
 * Hooks: "odd_channels" adds channels (1: of an unknown device, 2: with LIN only, 4: of a second device with serial
 * number 100); "foreign" is the mask of channels whose settings another program owns; "shown_bus",
 * "shown_bitrate" and "shown_mode" replace what the driver reports; "min_quanta" is the least number of quanta of CAN FD that it takes;
 * "tx_room" is the room of the transmit queue, with "tx_keeps_count" the driver does not report how much of it was
 * used; "bus_off" set to a new value takes the controllers off the bus until they are activated again;
 * "sync_time_fails", "channel_time_fails", "stamp_shift" (ns), "popup".
 */
#include "stub.h"

typedef int16_t XLstatus;
typedef int32_t XLportHandle;
typedef uint64_t XLaccess;

enum {
    SUCCESS = 0,
    PENDING = 1,
    QUEUE_IS_EMPTY = 10,
    QUEUE_IS_FULL = 11,
    WRONG_PARAMETER = 101,
    PORT_IS_OFFLINE = 113,
    NOT_IMPLEMENTED = 117,
    INVALID_PORT = 118,
    HW_NOT_PRESENT = 129,
    NOTIFY_ALREADY_ACTIVE = 131,
    INVALID_TAG = 132,
    RESERVED_NOT_ZERO = 157,
    INIT_ACCESS_MISSING = 158,
    WRONG_VERSION = 160,
    CANNOT_OPEN_DRIVER = 201,
    WRONG_BUS_TYPE = 202,
    INVALID_CHANNEL_MASK = 204,
    GENERIC_ERROR = 255,
    INVALID_DLC = 513,
    INVALID_CANID = 514,
    INVALID_FDFLAG_MODE20 = 515,
    EDL_RTR = 516,
    EDL_NOT_SET = 517,
    UNKNOWN_FLAG = 518,
};

/* --- structures ------------------------------------------------------------------------------------------- */

#pragma pack(push, 1)
typedef struct {
    uint32_t id;
    uint16_t flags, dlc;
    uint64_t res1;
    uint8_t data[8];
    uint64_t res2;
} ClassicMessage;
typedef struct {
    uint8_t busStatus, txErrorCounter, rxErrorCounter;
} ChipState;
typedef struct {
    uint8_t pulseCode;
    uint64_t time;
} SyncPulse;
typedef struct {
    uint8_t event_reason, is_present;
} Transceiver;
typedef struct {
    uint8_t tag, chanIndex;
    uint16_t transId, portHandle;
    uint8_t flags, reserved;
    uint64_t timeStamp;
    union {
        ClassicMessage msg;
        ChipState chipState;
        SyncPulse syncPulse;
        Transceiver transceiver;
        uint8_t raw[32];
    } tagData;
} Event;
typedef struct {
    uint32_t bitRate;
    uint8_t sjw, tseg1, tseg2, sam;
} ChipParams;
typedef struct {
    uint32_t arbitrationBitRate, sjwAbr, tseg1Abr, tseg2Abr, dataBitRate, sjwDbr, tseg1Dbr, tseg2Dbr;
    uint8_t reserved, options, reserved1[2];
    uint32_t reserved2;
} CanFdConf;
typedef struct {
    uint32_t bitRate;
    uint8_t sjw, tseg1, tseg2, sam, outputMode, reserved[7], canOpMode;
} ClassicParams;
typedef struct {
    uint32_t arbitrationBitRate;
    uint8_t sjwAbr, tseg1Abr, tseg2Abr, samAbr, outputMode, sjwDbr, tseg1Dbr, tseg2Dbr;
    uint32_t dataBitRate;
    uint8_t canOpMode;
} FdParams;
typedef struct {
    uint32_t busType;
    union {
        ClassicParams can;
        FdParams canFD;
        uint8_t raw[28];
    } data;
} BusParams;
typedef struct {
    char name[32];
    uint8_t hwType, hwIndex, hwChannel;
    uint16_t transceiverType, transceiverState, configError;
    uint8_t channelIndex;
    uint64_t channelMask;
    uint32_t channelCapabilities, channelBusCapabilities;
    uint8_t isOnBus;
    uint32_t connectedBusType;
    BusParams busParams;
    uint32_t unused, driverVersion, interfaceVersion, raw_data[10], serialNumber, articleNumber;
    char transceiverName[32];
    uint32_t specialCabFlags, dominantTimeout;
    uint8_t dominantRecessiveDelay, recessiveDominantDelay, connectionInfo, currentlyAvailableTimestamps;
    uint16_t minimalSupplyVoltage, maximalSupplyVoltage;
    uint32_t maximalBaudrate;
    uint8_t fpgaCoreCapabilities, specialDeviceStatus;
    uint16_t channelBusActiveCapabilities, breakOffset, delimiterOffset;
    uint32_t reserved[3];
} ChannelConfig;
typedef struct {
    uint32_t dllVersion, channelCount, reserved[10];
    ChannelConfig channel[64];
} DriverConfig;
#pragma pack(pop)

#pragma pack(push, 8)
typedef struct {
    uint32_t canId, msgFlags, crc;
    uint8_t reserved1[12];
    uint16_t totalBitCnt;
    uint8_t dlc, reserved[5], data[64];
} FdMessage;
typedef struct {
    uint32_t canId, msgFlags;
    uint8_t dlc, txAttemptConf;
    uint16_t reserved;
    uint8_t data[64];
} FdTxRequest;
typedef struct {
    uint8_t errorCode, reserved[95];
} FdError;
typedef struct {
    uint8_t busStatus, txErrorCounter, rxErrorCounter, reserved;
    uint32_t reserved0;
} FdChipState;
typedef struct {
    uint32_t triggerSource, reserved;
    uint64_t time;
} FdSyncPulse;
typedef struct {
    uint32_t size;
    uint16_t tag, channelIndex;
    uint32_t userHandle;
    uint16_t flagsChip, reserved0;
    uint64_t reserved1, timeStamp;
    union {
        FdMessage canRxOkMsg;
        FdTxRequest canTxRequest;
        FdError canError;
        FdChipState canChipState;
        FdSyncPulse canSyncPulse;
    } tagData;
} CanRxEvent;
typedef struct {
    uint32_t canId, msgFlags;
    uint8_t dlc, reserved[7], data[64];
} FdTxMessage;
typedef struct {
    uint16_t tag, transId;
    uint8_t channelIndex, reserved[3];
    FdTxMessage canMsg;
} CanTxEvent;
#pragma pack(pop)

_Static_assert(sizeof(ClassicMessage) == 32 && sizeof(Event) == 48 && offsetof(Event, tagData) == 16, "Event");
_Static_assert(sizeof(FdMessage) == 96 && sizeof(FdTxRequest) == 76 && sizeof(FdError) == 96, "members");
_Static_assert(sizeof(FdChipState) == 8 && sizeof(FdSyncPulse) == 16, "members");
_Static_assert(sizeof(CanRxEvent) == 128 && offsetof(CanRxEvent, timeStamp) == 24 && offsetof(CanRxEvent, tagData) == 32, "CanRxEvent");
_Static_assert(sizeof(CanTxEvent) == 88 && sizeof(FdTxMessage) == 80, "CanTxEvent");
_Static_assert(sizeof(ChipParams) == 8 && sizeof(CanFdConf) == 40 && offsetof(CanFdConf, options) == 33, "settings");
_Static_assert(sizeof(BusParams) == 32 && offsetof(ClassicParams, canOpMode) == 16 && offsetof(FdParams, dataBitRate) == 12, "BusParams");
_Static_assert(sizeof(ChannelConfig) == 227 && offsetof(ChannelConfig, busParams) == 63 && offsetof(ChannelConfig, serialNumber) == 147, "ChannelConfig");
_Static_assert(sizeof(DriverConfig) == 14576 && offsetof(DriverConfig, channel) == 48, "DriverConfig");

/* --- channels, applications, ports -------------------------------------------------------------------------- */

enum { RECEIVE_MSG = 1, CHIP_STATE = 4, TIMER = 8, TRANSMIT_MSG = 10 };
enum { RX_OK = 0x400, RX_ERROR = 0x401, TX_ERROR = 0x402, TX_OK = 0x404, FD_CHIP_STATE = 0x409, TX_MSG = 0x440 };
enum { ERROR_FRAME = 1, OVERRUN = 2, WAKEUP = 8, REMOTE = 0x10, TX_COMPLETED = 0x40 };
enum { EDL = 1, BRS = 2, ESI = 4, RTR = 0x10, HIGHPRIO = 0x80, TX_WAKEUP = 0x200, QUEUE_OVERFLOW = 0x100 };
enum { CLASSIC_VERSION = 3, FD_VERSION = 4, CAN = 1, CAN20 = 1, CANFD = 2 };
enum { BUS_OFF = 1, ERROR_ACTIVE = 8 };
enum { KIND_TIMER = 10 }; /* a record that never leaves the library */
#define EXTENDED 0x80000000u
#define CHANNELS 8
#define XL_PORTS 16
#define APPLICATIONS 64

typedef struct {
    const char *name;
    uint8_t hwType, hwIndex, hwChannel, isLin, isAdded; /* isAdded: the bit of "odd_channels" */
    uint32_t serial;
    uint32_t bitrate, dataBitrate;
    uint8_t sjw, tseg1, tseg2, sjwDbr, tseg1Dbr, tseg2Dbr, sam, mode, output, isUnplugged;
    int owner; /* of the settings: the number of a port, -1: none */
    int64_t offSeen;
} Channel;

static const Channel CHANNEL_DEFAULTS[CHANNELS] = {
    {.name = "Virtual Channel 1", .hwType = 1},
    {.name = "Virtual Channel 2", .hwType = 1, .hwChannel = 1},
    {.name = "VN1610 Channel 1", .hwType = 55, .serial = 100},
    {.name = "VN1610 Channel 2", .hwType = 55, .hwChannel = 1, .serial = 100},
    {.name = "New\xff" "Device Channel 1", .hwType = 200, .serial = 300, .isAdded = 1},
    {.name = "LIN Channel 1", .hwType = 57, .serial = 400, .isLin = 1, .isAdded = 2},
    {.name = "VN1610 Channel 1", .hwType = 55, .hwIndex = 1, .serial = 100, .isAdded = 4},
    {.name = "Nothing", .isAdded = 8},
};

typedef struct {
    char name[33];
    uint32_t channel, hwType, hwIndex, hwChannel;
} Application;

typedef struct {
    int isOpen, version, receipts, hasEvent;
    XLaccess mask, permission, active;
    int rings[CHANNELS]; /* ports of the kit */
    uint8_t standard[2048];
    uint32_t extCode, extMask;
    uint32_t timerRate; /* 10 us */
    int64_t lastTimer;
    int hasLost;
} XlPort;

static Channel channels[CHANNELS];
static Application applications[APPLICATIONS];
static XlPort xlPorts[XL_PORTS];
static int driverCount, isReady;
static int64_t clockStart; /* epoch time of the driver's time 0, ns */
static int64_t txUsed, txRoomSeen;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void prepare(void) {
    if (isReady) return;
    isReady = 1;
    memcpy(channels, CHANNEL_DEFAULTS, sizeof channels);
    for (int i = 0; i < CHANNELS; i++) {
        Channel *c = &channels[i];
        c->bitrate = c->dataBitrate = 500000;
        c->sjw = c->sjwDbr = 1, c->tseg1 = c->tseg1Dbr = 4, c->tseg2 = c->tseg2Dbr = 3, c->sam = 1;
        c->mode = CAN20, c->output = 1, c->owner = -1;
    }
    memset(applications, 0, sizeof applications);
    for (uint32_t i = 0; i < 2; i++) {
        snprintf(applications[i].name, sizeof applications[i].name, "CANalyzer");
        applications[i].channel = applications[i].hwChannel = i;
        applications[i].hwType = 1;
    }
    clockStart = now_ns() - 123456789123456; /* the computer was on for 34 hours */
    txUsed = txRoomSeen = 0;
}

static int exists(int i) { return !channels[i].isAdded || hook("odd_channels", 0) & channels[i].isAdded; }

static XLaccess existing(void) {
    XLaccess mask = 0;
    for (int i = 0; i < CHANNELS; i++)
        if (exists(i)) mask |= (XLaccess)1 << i;
    return mask;
}

static XlPort *port_of(XLportHandle handle) {
    return handle >= 1 && handle <= XL_PORTS && xlPorts[handle - 1].isOpen ? &xlPorts[handle - 1] : NULL;
}

static int is_unplugged(const XlPort *port) {
    for (int i = 0; i < CHANNELS; i++)
        if (port->mask >> i & 1 && channels[i].isUnplugged) return 1;
    return 0;
}

static int is_off(int i) { return hook("bus_off", 0) != channels[i].offSeen; }

static void close_port(XlPort *port) {
    for (int i = 0; i < CHANNELS; i++) {
        if (!(port->mask >> i & 1)) continue;
        port_close(port->rings[i]);
        if (channels[i].owner == (int)(port - xlPorts)) channels[i].owner = -1;
    }
    memset(port, 0, sizeof *port);
    opened(-1);
}

static void apply_rates(int channel) {
    for (int p = 0; p < XL_PORTS; p++)
        if (xlPorts[p].isOpen && xlPorts[p].mask >> channel & 1) {
            ports[xlPorts[p].rings[channel]].bitrate = channels[channel].bitrate;
            ports[xlPorts[p].rings[channel]].data_bitrate = channels[channel].dataBitrate;
        }
}

/* Each function is FUNCTION(name, arguments as text...) { ... } and returns by LEAVE, which unlocks. */
#define LEAVE(status)                       \
    do {                                    \
        XLstatus result_ = (XLstatus)(status); \
        pthread_mutex_unlock(&lock);        \
        return result_;                     \
    } while (0)
#define ENTER(name, ...)                                                        \
    do {                                                                        \
        int64_t ordered_;                                                       \
        pthread_mutex_lock(&lock);                                              \
        prepare();                                                              \
        called(name __VA_ARGS__);                                               \
        if (told_to_fail(name, &ordered_)) LEAVE(ordered_);                     \
        if (!driverCount) {                                                     \
            violation(name " before xlOpenDriver");                             \
            LEAVE(CANNOT_OPEN_DRIVER);                                          \
        }                                                                       \
    } while (0)
#define PORT(handle)                        \
    XlPort *port = port_of(handle);         \
    if (!port) LEAVE(INVALID_PORT);         \
    if (is_unplugged(port)) LEAVE(HW_NOT_PRESENT)
#define SUBSET(mask) \
    if (!(mask) || (mask) & ~port->mask) LEAVE(INVALID_CHANNEL_MASK)
#define EACH(i, channelMask)            \
    for (int i = 0; i < CHANNELS; i++) \
        if ((channelMask) >> i & 1)

/* --- the driver ----------------------------------------------------------------------------------------------- */

EXPORT XLstatus xlOpenDriver(void) {
    int64_t ordered;
    pthread_mutex_lock(&lock);
    prepare();
    called("xlOpenDriver");
    if (told_to_fail("xlOpenDriver", &ordered)) LEAVE(ordered);
    driverCount++;
    opened(1);
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlCloseDriver(void) {
    ENTER("xlCloseDriver");
    if (!--driverCount)
        for (int p = 0; p < XL_PORTS; p++)
            if (xlPorts[p].isOpen) violation("xlCloseDriver while port %d is open", p + 1);
    opened(-1);
    LEAVE(SUCCESS);
}

static void describe(int i, ChannelConfig *out) {
    const Channel *c = &channels[i];
    memset(out, 0, sizeof *out);
    snprintf(out->name, sizeof out->name, "%s", c->name);
    out->hwType = c->hwType, out->hwIndex = c->hwIndex, out->hwChannel = c->hwChannel;
    out->channelIndex = (uint8_t)i, out->channelMask = (XLaccess)1 << i;
    out->channelCapabilities = c->hwType == 1 ? 0xA0000007u : 0xA2000012u; /* some bits have no name */
    out->channelBusCapabilities = c->isLin ? 0x20003 : 0x10001;
    out->serialNumber = c->serial, out->articleNumber = 7000u + (uint32_t)i;
    out->interfaceVersion = FD_VERSION;
    snprintf(out->transceiverName, sizeof out->transceiverName, c->isLin ? "LINpiggy 7269mag" : c->hwType == 1 ? "Virtual CAN" : "On board CAN 1051cap(Highspeed)");
    for (int p = 0; p < XL_PORTS; p++)
        if (xlPorts[p].isOpen && xlPorts[p].active >> i & 1) out->isOnBus = 1;
    out->connectedBusType = out->busParams.busType = c->isLin ? 2 : (uint32_t)hook("shown_bus", CAN);
    if (out->busParams.busType != CAN) return;
    FdParams *params = &out->busParams.data.canFD; /* the classic view has the same offsets */
    params->arbitrationBitRate = (uint32_t)hook("shown_bitrate", c->bitrate);
    params->sjwAbr = c->sjw, params->tseg1Abr = c->tseg1, params->tseg2Abr = c->tseg2, params->samAbr = c->sam;
    params->outputMode = c->output;
    params->canOpMode = (uint8_t)hook("shown_mode", c->mode | 4); /* unknown bits occur */
    if (c->mode & CANFD) {
        params->sjwDbr = c->sjwDbr, params->tseg1Dbr = c->tseg1Dbr, params->tseg2Dbr = c->tseg2Dbr;
        params->dataBitRate = c->dataBitrate;
    }
}

EXPORT XLstatus xlGetDriverConfig(DriverConfig *config) {
    ENTER("xlGetDriverConfig");
    if (!config) LEAVE(WRONG_PARAMETER);
    memset(config, 0, sizeof *config);
    config->dllVersion = 0x14000000;
    for (int i = 0; i < CHANNELS; i++)
        if (exists(i) && !channels[i].isUnplugged) describe(i, &config->channel[config->channelCount++]);
    LEAVE(SUCCESS);
}

static Application *application(const char *name, uint32_t channel) {
    for (int i = 0; i < APPLICATIONS; i++)
        if (applications[i].name[0] && applications[i].channel == channel && !strcmp(applications[i].name, name))
            return &applications[i];
    return NULL;
}

EXPORT XLstatus xlGetApplConfig(const char *name, uint32_t channel, uint32_t *hwType, uint32_t *hwIndex, uint32_t *hwChannel, uint32_t busType) {
    ENTER("xlGetApplConfig", " app=%s ch=%u bus=%u", name, channel, busType);
    if (!name || !hwType || !hwIndex || !hwChannel) LEAVE(WRONG_PARAMETER);
    Application *found = busType == CAN ? application(name, channel) : NULL;
    if (!found) LEAVE(GENERIC_ERROR);
    *hwType = found->hwType, *hwIndex = found->hwIndex, *hwChannel = found->hwChannel;
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlSetApplConfig(const char *name, uint32_t channel, uint32_t hwType, uint32_t hwIndex, uint32_t hwChannel, uint32_t busType) {
    ENTER("xlSetApplConfig", " app=%s ch=%u type=%u index=%u channel=%u bus=%u", name, channel, hwType, hwIndex, hwChannel, busType);
    if (!name || !*name || strlen(name) > 32 || channel >= 256) LEAVE(WRONG_PARAMETER);
    if (busType != CAN) LEAVE(WRONG_BUS_TYPE);
    Application *place = application(name, channel);
    for (int i = 0; i < APPLICATIONS && !place; i++)
        if (!applications[i].name[0]) place = &applications[i];
    if (!place) LEAVE(GENERIC_ERROR);
    snprintf(place->name, sizeof place->name, "%s", name);
    place->channel = channel, place->hwType = hwType, place->hwIndex = hwIndex, place->hwChannel = hwChannel;
    LEAVE(SUCCESS);
}

static int index_of(int hwType, int hwIndex, int hwChannel) {
    for (int i = 0; i < CHANNELS; i++) {
        const Channel *c = &channels[i];
        if (exists(i) && !c->isUnplugged && (hwType == -1 || c->hwType == hwType) &&
            (hwIndex == -1 || c->hwIndex == hwIndex) && (hwChannel == -1 || c->hwChannel == hwChannel))
            return i;
    }
    return -1;
}

EXPORT int32_t xlGetChannelIndex(int32_t hwType, int32_t hwIndex, int32_t hwChannel) {
    int64_t ordered;
    pthread_mutex_lock(&lock);
    prepare();
    called("xlGetChannelIndex type=%d index=%d channel=%d", hwType, hwIndex, hwChannel);
    int found = told_to_fail("xlGetChannelIndex", &ordered) ? (int)ordered : driverCount ? index_of(hwType, hwIndex, hwChannel) : -1;
    pthread_mutex_unlock(&lock);
    return found;
}

EXPORT XLaccess xlGetChannelMask(int32_t hwType, int32_t hwIndex, int32_t hwChannel) {
    int found = xlGetChannelIndex(hwType, hwIndex, hwChannel);
    return found < 0 ? 0 : (XLaccess)1 << found;
}

EXPORT XLstatus xlPopupHwConfig(const char *sign, uint32_t milliseconds) {
    ENTER("xlPopupHwConfig", " sign=%s ms=%u", sign ? sign : "NULL", milliseconds);
    LEAVE(hook("popup", PENDING));
}

EXPORT const char *xlGetErrorString(XLstatus status) {
    switch (status) {
        case SUCCESS: return "XL_SUCCESS";
        case QUEUE_IS_EMPTY: return "XL_ERR_QUEUE_IS_EMPTY";
        case QUEUE_IS_FULL: return "XL_ERR_QUEUE_IS_FULL";
        case WRONG_PARAMETER: return "XL_ERR_WRONG_PARAMETER";
        case PORT_IS_OFFLINE: return "XL_ERR_PORT_IS_OFFLINE";
        case INVALID_PORT: return "XL_ERR_INVALID_PORT";
        case HW_NOT_PRESENT: return "XL_ERR_HW_NOT_PRESENT";
        case INIT_ACCESS_MISSING: return "XL_ERR_INIT_ACCESS_MISSING";
        case WRONG_VERSION: return "XL_ERR_WRONG_VERSION";
        case CANNOT_OPEN_DRIVER: return "XL_ERR_CANNOT_OPEN_DRIVER";
        case GENERIC_ERROR: return "XL_ERROR \xfcnknown"; /* not UTF-8 */
        default: return "";
    }
}

/* --- ports ---------------------------------------------------------------------------------------------------- */

static int is_queue_size(uint32_t size, int version) {
    uint32_t low = version == FD_VERSION ? 8192 : 16, high = version == FD_VERSION ? 524288 : 32768;
    return size >= low && size <= high && !(size & (size - 1));
}

EXPORT XLstatus xlOpenPort(XLportHandle *handle, const char *user, XLaccess mask, XLaccess *permission, uint32_t queueSize, uint32_t version, uint32_t busType) {
    ENTER("xlOpenPort", " user=%s mask=%llx permission=%llx queue=%u version=%u bus=%u", user ? user : "NULL",
          (unsigned long long)mask, permission ? (unsigned long long)*permission : 0, queueSize, version, busType);
    if (!handle || !permission || !user || strlen(user) > 32) LEAVE(WRONG_PARAMETER);
    if (version != CLASSIC_VERSION && version != FD_VERSION) LEAVE(WRONG_VERSION);
    if (busType != CAN) LEAVE(WRONG_BUS_TYPE);
    if (!mask || mask & ~existing()) LEAVE(INVALID_CHANNEL_MASK);
    if (!is_queue_size(queueSize, (int)version)) LEAVE(WRONG_PARAMETER);
    EACH(i, mask) {
        if (channels[i].isLin) LEAVE(WRONG_BUS_TYPE);
        if (channels[i].isUnplugged) LEAVE(HW_NOT_PRESENT);
    }
    int number = 0;
    while (number < XL_PORTS && xlPorts[number].isOpen) number++;
    if (number == XL_PORTS) LEAVE(GENERIC_ERROR);
    XlPort *port = &xlPorts[number];
    memset(port, 0, sizeof *port);
    port->isOpen = 1, port->version = (int)version, port->mask = mask;
    port->permission = *permission & mask & ~(XLaccess)hook("foreign", 0);
    memset(port->standard, 1, sizeof port->standard);
    uint32_t depth = version == FD_VERSION ? queueSize / (uint32_t)sizeof(CanRxEvent) : queueSize;
    EACH(i, mask) {
        port->rings[i] = port_open("vector", depth, channels[i].bitrate, channels[i].dataBitrate);
        if (!(port->permission >> i & 1)) continue;
        if (channels[i].owner >= 0) port->permission &= ~((XLaccess)1 << i);
        else channels[i].owner = number;
    }
    *permission = port->permission;
    *handle = number + 1;
    opened(1);
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlClosePort(XLportHandle handle) {
    ENTER("xlClosePort", " port=%d", handle);
    XlPort *port = port_of(handle);
    if (!port) {
        violation("xlClosePort of port %d, which is not open", handle);
        LEAVE(INVALID_PORT);
    }
    if (port->active && !is_unplugged(port)) violation("xlClosePort of port %d while it is active", handle);
    close_port(port);
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlActivateChannel(XLportHandle handle, XLaccess mask, uint32_t busType, uint32_t flags) {
    ENTER("xlActivateChannel", " port=%d mask=%llx bus=%u flags=%u", handle, (unsigned long long)mask, busType, flags);
    PORT(handle);
    SUBSET(mask);
    if (busType != CAN) LEAVE(WRONG_BUS_TYPE);
    if (flags & ~8u) LEAVE(WRONG_PARAMETER);
    if (port->active & mask) violation("xlActivateChannel of an active channel");
    EACH(i, mask) {
        port_clear(port->rings[i]);
        channels[i].offSeen = hook("bus_off", 0);
    }
    port->active |= mask;
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlDeactivateChannel(XLportHandle handle, XLaccess mask) {
    ENTER("xlDeactivateChannel", " port=%d mask=%llx", handle, (unsigned long long)mask);
    PORT(handle);
    SUBSET(mask);
    if (~port->active & mask) violation("xlDeactivateChannel of an inactive channel");
    port->active &= ~mask;
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlSetNotification(XLportHandle handle, void **event, int32_t level) {
    ENTER("xlSetNotification", " port=%d level=%d", handle, level);
    PORT(handle);
    if (!event || level < 1) LEAVE(WRONG_PARAMETER);
    if (port->hasEvent) LEAVE(NOTIFY_ALREADY_ACTIVE);
    port->hasEvent = 1;
    *event = (void *)(uintptr_t)(0x1000 + handle);
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlSetTimerRate(XLportHandle handle, uint32_t rate) {
    ENTER("xlSetTimerRate", " port=%d rate=%u", handle, rate);
    PORT(handle);
    port->timerRate = rate;
    port->lastTimer = now_ns();
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlResetClock(XLportHandle handle) {
    ENTER("xlResetClock", " port=%d", handle);
    PORT(handle);
    clockStart = now_ns();
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlFlushReceiveQueue(XLportHandle handle) {
    ENTER("xlFlushReceiveQueue", " port=%d", handle);
    PORT(handle);
    EACH(i, port->mask) port_clear(port->rings[i]);
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlGetReceiveQueueLevel(XLportHandle handle, int32_t *level) {
    ENTER("xlGetReceiveQueueLevel", " port=%d", handle);
    PORT(handle);
    if (!level) LEAVE(WRONG_PARAMETER);
    *level = 0;
    EACH(i, port->mask) *level += (int32_t)port_count(port->rings[i]);
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlGetSyncTime(XLportHandle handle, uint64_t *time) {
    ENTER("xlGetSyncTime", " port=%d", handle);
    PORT(handle);
    if (!time) LEAVE(WRONG_PARAMETER);
    if (hook("sync_time_fails", 0)) LEAVE(NOT_IMPLEMENTED);
    *time = (uint64_t)(now_ns() - clockStart);
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlGetChannelTime(XLportHandle handle, XLaccess mask, uint64_t *time) {
    ENTER("xlGetChannelTime", " port=%d mask=%llx", handle, (unsigned long long)mask);
    PORT(handle);
    SUBSET(mask);
    if (!time) LEAVE(WRONG_PARAMETER);
    if (hook("channel_time_fails", 0)) LEAVE(NOT_IMPLEMENTED);
    *time = (uint64_t)(now_ns() - clockStart);
    LEAVE(SUCCESS);
}

/* --- settings ----------------------------------------------------------------------------------------------- */

#define INIT_ACCESS(mask)  \
    PORT(handle);          \
    SUBSET(mask);          \
    if ((mask) & ~port->permission) LEAVE(INIT_ACCESS_MISSING)

EXPORT XLstatus xlCanSetChannelMode(XLportHandle handle, XLaccess mask, int32_t receipts, int32_t requests) {
    ENTER("xlCanSetChannelMode", " port=%d mask=%llx tx=%d txrq=%d", handle, (unsigned long long)mask, receipts, requests);
    PORT(handle);
    SUBSET(mask);
    if (receipts & ~1 || requests & ~1) LEAVE(WRONG_PARAMETER);
    port->receipts = receipts;
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlCanSetReceiveMode(XLportHandle handle, uint8_t noErrors, uint8_t noStates) {
    ENTER("xlCanSetReceiveMode", " port=%d errors=%u states=%u", handle, noErrors, noStates);
    PORT(handle);
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlCanSetChannelOutput(XLportHandle handle, XLaccess mask, int32_t mode) {
    ENTER("xlCanSetChannelOutput", " port=%d mask=%llx mode=%d", handle, (unsigned long long)mask, mode);
    INIT_ACCESS(mask);
    if (mode < 0 || mode > 3) LEAVE(WRONG_PARAMETER);
    EACH(i, mask) channels[i].output = (uint8_t)mode;
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlCanSetChannelBitrate(XLportHandle handle, XLaccess mask, uint32_t bitrate) {
    ENTER("xlCanSetChannelBitrate", " port=%d mask=%llx bitrate=%u", handle, (unsigned long long)mask, bitrate);
    INIT_ACCESS(mask);
    if (bitrate < 15000 || bitrate > 1000000) LEAVE(WRONG_PARAMETER);
    EACH(i, mask) {
        channels[i].bitrate = channels[i].dataBitrate = bitrate;
        channels[i].sjw = 1, channels[i].tseg1 = 4, channels[i].tseg2 = 3, channels[i].mode = CAN20;
        apply_rates(i);
    }
    LEAVE(SUCCESS);
}

static void set_classic(XLaccess mask, uint32_t bitrate, unsigned sjw, unsigned tseg1, unsigned tseg2, unsigned sam) {
    EACH(i, mask) {
        Channel *c = &channels[i];
        c->bitrate = c->dataBitrate = bitrate, c->mode = CAN20;
        c->sjw = (uint8_t)sjw, c->tseg1 = (uint8_t)tseg1, c->tseg2 = (uint8_t)tseg2, c->sam = (uint8_t)sam;
        apply_rates(i);
    }
}

EXPORT XLstatus xlCanSetChannelParams(XLportHandle handle, XLaccess mask, const ChipParams *p) {
    ENTER("xlCanSetChannelParams", " port=%d mask=%llx bitrate=%u sjw=%u tseg1=%u tseg2=%u sam=%u", handle,
          (unsigned long long)mask, p->bitRate, p->sjw, p->tseg1, p->tseg2, p->sam);
    INIT_ACCESS(mask);
    uint32_t quanta = 1u + p->tseg1 + p->tseg2;
    if (!p->bitRate || 16000000 % (p->bitRate * quanta) || p->tseg1 < 1 || p->tseg1 > 16 || p->tseg2 < 1 ||
        p->tseg2 > 8 || p->sjw < 1 || p->sjw > 4 || p->sjw > p->tseg2 || (p->sam != 1 && p->sam != 3))
        LEAVE(WRONG_PARAMETER);
    set_classic(mask, p->bitRate, p->sjw, p->tseg1, p->tseg2, p->sam);
    LEAVE(SUCCESS);
}

EXPORT XLstatus xlCanSetChannelParamsC200(XLportHandle handle, XLaccess mask, uint8_t btr0, uint8_t btr1) {
    ENTER("xlCanSetChannelParamsC200", " port=%d mask=%llx btr0=%02x btr1=%02x", handle, (unsigned long long)mask, btr0, btr1);
    INIT_ACCESS(mask);
    unsigned tseg1 = (btr1 & 15) + 1, tseg2 = (btr1 >> 4 & 7) + 1, brp = (btr0 & 63) + 1;
    set_classic(mask, 8000000 / (brp * (1 + tseg1 + tseg2)), (btr0 >> 6) + 1u, tseg1, tseg2, btr1 >> 7 ? 3 : 1);
    LEAVE(SUCCESS);
}

static int divides(uint32_t rate, uint32_t tseg1, uint32_t tseg2, uint32_t sjw) {
    uint32_t quanta = 1 + tseg1 + tseg2;
    if (!rate || !tseg1 || !tseg2 || !sjw || sjw > tseg2 || tseg1 > 255 || tseg2 > 128) return 0;
    if (quanta < (uint32_t)hook("min_quanta", 0)) return 0;
    uint32_t prescaler = (uint32_t)(80000000.0 / ((double)rate * quanta) + 0.5);
    if (!prescaler) return 0;
    int64_t rest = (int64_t)80000000 - (int64_t)rate * quanta * prescaler;
    return llabs(rest) < (int64_t)quanta * prescaler; /* the rate is an integer */
}

EXPORT XLstatus xlCanFdSetConfiguration(XLportHandle handle, XLaccess mask, const CanFdConf *c) {
    ENTER("xlCanFdSetConfiguration", " port=%d mask=%llx %u %u/%u/%u %u %u/%u/%u options=%u", handle,
          (unsigned long long)mask, c->arbitrationBitRate, c->tseg1Abr, c->tseg2Abr, c->sjwAbr, c->dataBitRate,
          c->tseg1Dbr, c->tseg2Dbr, c->sjwDbr, c->options);
    INIT_ACCESS(mask);
    if (port->version != FD_VERSION) LEAVE(WRONG_VERSION);
    if (c->reserved || c->reserved1[0] || c->reserved1[1] || c->reserved2 || c->options & ~8) LEAVE(RESERVED_NOT_ZERO);
    if (!divides(c->arbitrationBitRate, c->tseg1Abr, c->tseg2Abr, c->sjwAbr) ||
        !divides(c->dataBitRate, c->tseg1Dbr, c->tseg2Dbr, c->sjwDbr) || c->dataBitRate < c->arbitrationBitRate)
        LEAVE(WRONG_PARAMETER);
    EACH(i, mask) {
        Channel *channel = &channels[i];
        channel->bitrate = c->arbitrationBitRate, channel->dataBitrate = c->dataBitRate, channel->mode = CANFD;
        channel->sjw = (uint8_t)c->sjwAbr, channel->tseg1 = (uint8_t)c->tseg1Abr, channel->tseg2 = (uint8_t)c->tseg2Abr;
        channel->sjwDbr = (uint8_t)c->sjwDbr, channel->tseg1Dbr = (uint8_t)c->tseg1Dbr, channel->tseg2Dbr = (uint8_t)c->tseg2Dbr;
        apply_rates(i);
    }
    LEAVE(SUCCESS);
}

/* --- acceptance --------------------------------------------------------------------------------------------- */

static void accept_standard(XlPort *port, uint32_t code, uint32_t mask) {
    for (uint32_t id = 0; id < 2048; id++) port->standard[id] = (id & mask) == (code & mask);
}

EXPORT XLstatus xlCanSetChannelAcceptance(XLportHandle handle, XLaccess mask, uint32_t code, uint32_t compared, uint32_t range) {
    ENTER("xlCanSetChannelAcceptance", " port=%d mask=%llx code=%x compared=%x range=%u", handle, (unsigned long long)mask, code, compared, range);
    PORT(handle);
    SUBSET(mask);
    if (range == 1) accept_standard(port, code, compared);
    else if (range == 2) port->extCode = code, port->extMask = compared;
    else LEAVE(WRONG_PARAMETER);
    LEAVE(SUCCESS);
}

static XLstatus change_range(XlPort *port, uint32_t first, uint32_t last, uint8_t value) {
    if (first > last || last > 0x7FF) return WRONG_PARAMETER;
    for (uint32_t id = first; id <= last; id++) port->standard[id] = value;
    return SUCCESS;
}

EXPORT XLstatus xlCanAddAcceptanceRange(XLportHandle handle, XLaccess mask, uint32_t first, uint32_t last) {
    ENTER("xlCanAddAcceptanceRange", " port=%d mask=%llx %x-%x", handle, (unsigned long long)mask, first, last);
    PORT(handle);
    SUBSET(mask);
    LEAVE(change_range(port, first, last, 1));
}

EXPORT XLstatus xlCanRemoveAcceptanceRange(XLportHandle handle, XLaccess mask, uint32_t first, uint32_t last) {
    ENTER("xlCanRemoveAcceptanceRange", " port=%d mask=%llx %x-%x", handle, (unsigned long long)mask, first, last);
    PORT(handle);
    SUBSET(mask);
    LEAVE(change_range(port, first, last, 0));
}

EXPORT XLstatus xlCanResetAcceptance(XLportHandle handle, XLaccess mask, uint32_t range) {
    ENTER("xlCanResetAcceptance", " port=%d mask=%llx range=%u", handle, (unsigned long long)mask, range);
    PORT(handle);
    SUBSET(mask);
    if (range == 1) accept_standard(port, 0, 0);
    else if (range == 2) port->extCode = port->extMask = 0;
    else LEAVE(WRONG_PARAMETER);
    LEAVE(SUCCESS);
}

static int is_accepted(const XlPort *port, const Record *record) {
    if (record->kind != KIND_FRAME) return 1;
    if (record->flags & FLAG_EXTENDED) return (record->id & port->extMask) == (port->extCode & port->extMask);
    return port->standard[record->id & 0x7FF];
}

/* --- receiving ------------------------------------------------------------------------------------------------ */

static void put_own(XlPort *port, int channel, Record record) {
    record.magic = MAGIC;
    record.time_ns = now_ns();
    port_put(&ports[port->rings[channel]], &record);
}

EXPORT XLstatus xlCanRequestChipState(XLportHandle handle, XLaccess mask) {
    ENTER("xlCanRequestChipState", " port=%d mask=%llx", handle, (unsigned long long)mask);
    PORT(handle);
    SUBSET(mask);
    EACH(i, mask) {
        Record record = {.kind = KIND_STATE, .data = {is_off(i) ? BUS_OFF : ERROR_ACTIVE, 3, 5}};
        put_own(port, i, record);
    }
    LEAVE(SUCCESS);
}

static uint8_t code_of(uint8_t length) {
    static const uint8_t longer[] = {12, 16, 20, 24, 32, 48, 64};
    if (length <= 8) return length;
    for (uint8_t i = 0; i < 7; i++)
        if (length <= longer[i]) return (uint8_t)(9 + i);
    return 15;
}

static int length_of(uint8_t code) {
    static const uint8_t lengths[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64};
    return lengths[code & 15];
}

/* Take the oldest record that the port accepts; return the channel, -1 if there is none. */
static int take(XlPort *port, Record *record) {
    if (port->timerRate && now_ns() - port->lastTimer >= (int64_t)port->timerRate * 10000) {
        port->lastTimer = now_ns();
        Record timer = {.kind = KIND_TIMER};
        EACH(i, port->mask) {
            put_own(port, i, timer);
            break;
        }
    }
    for (;;) {
        int oldest = -1;
        int64_t time = 0;
        EACH(i, port->active) {
            Port *ring = &ports[port->rings[i]];
            pthread_mutex_lock(&ring->lock);
            if (ring->overrun) port->hasLost = 1, ring->overrun = 0;
            if (ring->count && (oldest < 0 || ring->ring[ring->head].time_ns < time)) {
                oldest = i;
                time = ring->ring[ring->head].time_ns;
            }
            pthread_mutex_unlock(&ring->lock);
        }
        if (oldest < 0) return -1;
        port_take(port->rings[oldest], record);
        if (is_accepted(port, record)) return oldest;
    }
}

static uint64_t stamp_of(const Record *record) { return (uint64_t)(record->time_ns - clockStart + hook("stamp_shift", 0)); }

static void fill_classic(XLportHandle handle, int channel, const Record *record, int lost, Event *event) {
    memset(event, 0, sizeof *event);
    event->tag = RECEIVE_MSG, event->chanIndex = (uint8_t)channel, event->portHandle = (uint16_t)handle;
    event->timeStamp = stamp_of(record);
    ClassicMessage *message = &event->tagData.msg;
    if (record->kind == KIND_STATE) {
        event->tag = CHIP_STATE;
        memcpy(&event->tagData.chipState, record->data, 3);
    } else if (record->kind == KIND_TIMER) {
        event->tag = TIMER;
    } else if (record->kind == KIND_ERROR || record->flags & FLAG_FD) { /* a classic controller cannot read CAN FD */
        message->flags = ERROR_FRAME;
    } else {
        message->id = record->id | (record->flags & FLAG_EXTENDED ? EXTENDED : 0);
        message->dlc = record->code & 0xFF ? record->code & 0xFF : record->length;
        message->flags = (uint16_t)((record->flags & FLAG_REMOTE ? REMOTE : 0) | (record->flags & FLAG_ECHO ? TX_COMPLETED : 0));
        memcpy(message->data, record->data, 8);
    }
    if (!lost) return;
    if (event->tag == RECEIVE_MSG) message->flags |= OVERRUN;
    else event->flags = 1;
}

EXPORT XLstatus xlReceive(XLportHandle handle, uint32_t *count, Event *events) {
    int64_t ordered;
    pthread_mutex_lock(&lock);
    prepare();
    if (told_to_fail("xlReceive", &ordered)) LEAVE(ordered);
    XlPort *port = port_of(handle);
    if (!driverCount) LEAVE(CANNOT_OPEN_DRIVER);
    if (!port) LEAVE(INVALID_PORT);
    if (!count || !*count || !events) LEAVE(WRONG_PARAMETER);
    if (port->version != CLASSIC_VERSION) LEAVE(WRONG_VERSION);
    uint32_t room = *count;
    Record record;
    for (*count = 0; *count < room; ++*count) {
        int channel = take(port, &record);
        if (channel < 0) break;
        fill_classic(handle, channel, &record, port->hasLost, &events[*count]);
        port->hasLost = 0;
    }
    if (*count) LEAVE(SUCCESS);
    LEAVE(is_unplugged(port) ? HW_NOT_PRESENT : QUEUE_IS_EMPTY);
}

static void fill_fd(int channel, const Record *record, CanRxEvent *event) {
    memset(event, 0, sizeof *event);
    event->size = sizeof *event, event->channelIndex = (uint16_t)channel;
    event->timeStamp = stamp_of(record);
    FdMessage *message = &event->tagData.canRxOkMsg;
    if (record->kind == KIND_STATE) {
        event->tag = FD_CHIP_STATE;
        memcpy(&event->tagData.canChipState, record->data, 3);
    } else if (record->kind == KIND_TIMER) {
        event->tag = TIMER;
    } else if (record->kind == KIND_ERROR) {
        event->tag = record->code & 0x100 ? TX_ERROR : RX_ERROR;
        event->tagData.canError.errorCode = record->code & 0xFF ? (uint8_t)record->code : 4;
    } else {
        event->tag = record->flags & FLAG_ECHO ? TX_OK : RX_OK;
        message->canId = record->id | (record->flags & FLAG_EXTENDED ? EXTENDED : 0);
        message->dlc = record->code & 0xFF ? (uint8_t)record->code : code_of(record->length);
        message->msgFlags = (record->flags & FLAG_REMOTE ? RTR : 0u) | (record->flags & FLAG_FD ? EDL : 0u) |
                            (record->flags & FLAG_BRS ? BRS : 0u) | (record->flags & FLAG_ESI ? ESI : 0u);
        message->totalBitCnt = 100;
        memcpy(message->data, record->data, 64);
    }
}

EXPORT XLstatus xlCanReceive(XLportHandle handle, CanRxEvent *event) {
    int64_t ordered;
    pthread_mutex_lock(&lock);
    prepare();
    if (told_to_fail("xlCanReceive", &ordered)) LEAVE(ordered);
    XlPort *port = port_of(handle);
    if (!driverCount) LEAVE(CANNOT_OPEN_DRIVER);
    if (!port) LEAVE(INVALID_PORT);
    if (!event) LEAVE(WRONG_PARAMETER);
    if (port->version != FD_VERSION) LEAVE(WRONG_VERSION);
    Record record;
    int channel = take(port, &record);
    if (channel < 0) LEAVE(is_unplugged(port) ? HW_NOT_PRESENT : QUEUE_IS_EMPTY);
    fill_fd(channel, &record, event);
    if (port->hasLost) event->flagsChip = QUEUE_OVERFLOW;
    port->hasLost = 0;
    LEAVE(SUCCESS);
}

/* --- sending ------------------------------------------------------------------------------------------------ */

/* Return how many of `count` frames the transmit queue takes. */
static uint32_t room_for(uint32_t count) {
    int64_t room = hook("tx_room", -1);
    if (room != txRoomSeen) txUsed = 0, txRoomSeen = room;
    if (room < 0) return count;
    int64_t left = room - txUsed;
    uint32_t taken = left < (int64_t)count ? (uint32_t)(left > 0 ? left : 0) : count;
    txUsed += taken;
    return taken;
}

static void send_record(XlPort *port, XLaccess mask, const Record *record) {
    EACH(i, mask) {
        if (channels[i].output != 1) {
            violation("a frame sent on silent channel %d", i);
            continue;
        }
        if (is_off(i)) continue;
        port_send(port->rings[i], *record);
        if (!port->receipts) continue;
        Record receipt = *record;
        receipt.flags |= FLAG_ECHO;
        put_own(port, i, receipt);
    }
}

static XLstatus check_classic(const Event *event) {
    const ClassicMessage *message = &event->tagData.msg;
    if (event->tag != TRANSMIT_MSG) return INVALID_TAG;
    if (event->chanIndex || event->reserved || message->res1 || message->res2) return RESERVED_NOT_ZERO;
    if (message->flags & ~(REMOTE | OVERRUN | WAKEUP)) return UNKNOWN_FLAG;
    if (message->dlc > 15) return INVALID_DLC;
    if (message->id & ~EXTENDED & ~0x1FFFFFFFu || (!(message->id & EXTENDED) && message->id > 0x7FF)) return INVALID_CANID;
    if (message->flags & REMOTE)
        for (int i = 0; i < 8; i++)
            if (message->data[i]) violation("a remote frame with data");
    return SUCCESS;
}

EXPORT XLstatus xlCanTransmit(XLportHandle handle, XLaccess mask, uint32_t *count, const Event *events) {
    ENTER("xlCanTransmit", " port=%d mask=%llx count=%u", handle, (unsigned long long)mask, count ? *count : 0);
    PORT(handle);
    SUBSET(mask);
    if (!count || !*count || !events) LEAVE(WRONG_PARAMETER);
    if (port->version != CLASSIC_VERSION) LEAVE(WRONG_VERSION);
    if (mask & ~port->active) LEAVE(PORT_IS_OFFLINE);
    for (uint32_t i = 0; i < *count; i++) {
        XLstatus status = check_classic(&events[i]);
        if (status) LEAVE(status);
    }
    uint32_t accepted = room_for(*count);
    for (uint32_t i = 0; i < accepted; i++) {
        const ClassicMessage *message = &events[i].tagData.msg;
        Record record = {.kind = KIND_FRAME, .id = message->id & 0x1FFFFFFF, .length = (uint8_t)(message->dlc > 8 ? 8 : message->dlc)};
        record.flags = (uint8_t)((message->id & EXTENDED ? FLAG_EXTENDED : 0) | (message->flags & REMOTE ? FLAG_REMOTE : 0));
        memcpy(record.data, message->data, 8);
        send_record(port, mask, &record);
    }
    int isFull = accepted < *count;
    if (!isFull || !hook("tx_keeps_count", 0)) *count = accepted;
    LEAVE(isFull ? QUEUE_IS_FULL : SUCCESS);
}

static XLstatus check_fd(const CanTxEvent *event, int mode) {
    const FdTxMessage *message = &event->canMsg;
    uint32_t flags = message->msgFlags;
    if (event->tag != TX_MSG) return INVALID_TAG;
    if (event->channelIndex || event->reserved[0] || event->reserved[1] || event->reserved[2]) return RESERVED_NOT_ZERO;
    for (int i = 0; i < 7; i++)
        if (message->reserved[i]) return RESERVED_NOT_ZERO;
    if (flags & ~(uint32_t)(EDL | BRS | RTR | HIGHPRIO | TX_WAKEUP)) return UNKNOWN_FLAG;
    if (message->dlc > 15) return INVALID_DLC;
    if (message->canId & ~EXTENDED & ~0x1FFFFFFFu || (!(message->canId & EXTENDED) && message->canId > 0x7FF)) return INVALID_CANID;
    if (flags & BRS && !(flags & EDL)) return EDL_NOT_SET;
    if (flags & EDL && flags & RTR) return EDL_RTR;
    if (flags & EDL && mode == CAN20) return INVALID_FDFLAG_MODE20;
    return SUCCESS;
}

EXPORT XLstatus xlCanTransmitEx(XLportHandle handle, XLaccess mask, uint32_t count, uint32_t *sent, const CanTxEvent *events) {
    ENTER("xlCanTransmitEx", " port=%d mask=%llx count=%u", handle, (unsigned long long)mask, count);
    PORT(handle);
    SUBSET(mask);
    if (!count || !sent || !events) LEAVE(WRONG_PARAMETER);
    if (port->version != FD_VERSION) LEAVE(WRONG_VERSION);
    if (mask & ~port->active) LEAVE(PORT_IS_OFFLINE);
    *sent = 0;
    for (uint32_t i = 0; i < count; i++)
        EACH(c, mask) {
            XLstatus status = check_fd(&events[i], channels[c].mode);
            if (status) LEAVE(status);
        }
    uint32_t accepted = room_for(count);
    for (uint32_t i = 0; i < accepted; i++) {
        const FdTxMessage *message = &events[i].canMsg;
        Record record = {.kind = KIND_FRAME, .id = message->canId & 0x1FFFFFFF};
        int isFd = message->msgFlags & EDL;
        record.length = isFd ? (uint8_t)length_of(message->dlc) : message->dlc > 8 ? 8 : message->dlc;
        record.flags = (uint8_t)((message->canId & EXTENDED ? FLAG_EXTENDED : 0) | (message->msgFlags & RTR ? FLAG_REMOTE : 0) |
                                 (isFd ? FLAG_FD : 0) | (message->msgFlags & BRS ? FLAG_BRS : 0));
        memcpy(record.data, message->data, 64);
        send_record(port, mask, &record);
    }
    *sent = accepted;
    LEAVE(accepted < count ? QUEUE_IS_FULL : SUCCESS);
}

EXPORT XLstatus xlCanFlushTransmitQueue(XLportHandle handle, XLaccess mask) {
    ENTER("xlCanFlushTransmitQueue", " port=%d mask=%llx", handle, (unsigned long long)mask);
    PORT(handle);
    SUBSET(mask);
    txUsed = 0;
    LEAVE(SUCCESS);
}

/* Exports that other programs look up; canx does not call them. */
EXPORT const char *xlGetEventString(const Event *event) { return event ? "event" : ""; }
EXPORT const char *xlCanGetEventString(const CanRxEvent *event) { return event ? "event" : ""; }
EXPORT XLstatus xlGenerateSyncPulse(XLportHandle handle, XLaccess mask) {
    ENTER("xlGenerateSyncPulse", " port=%d mask=%llx", handle, (unsigned long long)mask);
    PORT(handle);
    SUBSET(mask);
    LEAVE(SUCCESS);
}

/* --- for tests ----------------------------------------------------------------------------------------------- */

static void library_reset(void) {
    pthread_mutex_lock(&lock);
    for (int p = 0; p < XL_PORTS; p++)
        if (xlPorts[p].isOpen) close_port(&xlPorts[p]);
    driverCount = isReady = 0;
    pthread_mutex_unlock(&lock);
}

static int library_inject(int32_t channel, const Record *record) {
    int found = -1;
    pthread_mutex_lock(&lock);
    for (int p = 0; p < XL_PORTS; p++)
        if (channel >= 0 && channel < CHANNELS && xlPorts[p].isOpen && xlPorts[p].active >> channel & 1) {
            Record copy = *record;
            if (!copy.time_ns) copy.time_ns = now_ns();
            port_put(&ports[xlPorts[p].rings[channel]], &copy);
            found = 0;
        }
    pthread_mutex_unlock(&lock);
    return found;
}

static void library_unplug(int32_t device) {
    pthread_mutex_lock(&lock);
    prepare();
    for (int i = 0; i < CHANNELS; i++)
        if (device < 0 || channels[i].serial == (uint32_t)device) channels[i].isUnplugged = 1;
    pthread_mutex_unlock(&lock);
}

static int64_t library_layout(const char *structure, const char *field) {
    LAYOUT(Event) FIELD(Event, tag) FIELD(Event, chanIndex) FIELD(Event, transId) FIELD(Event, portHandle)
    FIELD(Event, flags) FIELD(Event, reserved) FIELD(Event, timeStamp) FIELD(Event, tagData)
    LAYOUT(ClassicMessage) FIELD(ClassicMessage, id) FIELD(ClassicMessage, flags) FIELD(ClassicMessage, dlc)
    FIELD(ClassicMessage, res1) FIELD(ClassicMessage, data) FIELD(ClassicMessage, res2)
    LAYOUT(ChipState) FIELD(ChipState, busStatus) FIELD(ChipState, txErrorCounter) FIELD(ChipState, rxErrorCounter)
    LAYOUT(SyncPulse) FIELD(SyncPulse, pulseCode) FIELD(SyncPulse, time)
    LAYOUT(Transceiver) FIELD(Transceiver, event_reason) FIELD(Transceiver, is_present)
    LAYOUT(CanRxEvent) FIELD(CanRxEvent, size) FIELD(CanRxEvent, tag) FIELD(CanRxEvent, channelIndex)
    FIELD(CanRxEvent, userHandle) FIELD(CanRxEvent, flagsChip) FIELD(CanRxEvent, reserved0)
    FIELD(CanRxEvent, reserved1) FIELD(CanRxEvent, timeStamp) FIELD(CanRxEvent, tagData)
    LAYOUT(FdMessage) FIELD(FdMessage, canId) FIELD(FdMessage, msgFlags) FIELD(FdMessage, crc)
    FIELD(FdMessage, reserved1) FIELD(FdMessage, totalBitCnt) FIELD(FdMessage, dlc) FIELD(FdMessage, reserved)
    FIELD(FdMessage, data)
    LAYOUT(FdTxRequest) FIELD(FdTxRequest, canId) FIELD(FdTxRequest, msgFlags) FIELD(FdTxRequest, dlc)
    FIELD(FdTxRequest, txAttemptConf) FIELD(FdTxRequest, reserved) FIELD(FdTxRequest, data)
    LAYOUT(FdError) FIELD(FdError, errorCode) FIELD(FdError, reserved)
    LAYOUT(FdChipState) FIELD(FdChipState, busStatus) FIELD(FdChipState, txErrorCounter)
    FIELD(FdChipState, rxErrorCounter) FIELD(FdChipState, reserved) FIELD(FdChipState, reserved0)
    LAYOUT(FdSyncPulse) FIELD(FdSyncPulse, triggerSource) FIELD(FdSyncPulse, reserved) FIELD(FdSyncPulse, time)
    LAYOUT(CanTxEvent) FIELD(CanTxEvent, tag) FIELD(CanTxEvent, transId) FIELD(CanTxEvent, channelIndex)
    FIELD(CanTxEvent, reserved) FIELD(CanTxEvent, canMsg)
    LAYOUT(FdTxMessage) FIELD(FdTxMessage, canId) FIELD(FdTxMessage, msgFlags) FIELD(FdTxMessage, dlc)
    FIELD(FdTxMessage, reserved) FIELD(FdTxMessage, data)
    LAYOUT(ChipParams) FIELD(ChipParams, bitRate) FIELD(ChipParams, sjw) FIELD(ChipParams, tseg1)
    FIELD(ChipParams, tseg2) FIELD(ChipParams, sam)
    LAYOUT(CanFdConf) FIELD(CanFdConf, arbitrationBitRate) FIELD(CanFdConf, sjwAbr) FIELD(CanFdConf, tseg1Abr)
    FIELD(CanFdConf, tseg2Abr) FIELD(CanFdConf, dataBitRate) FIELD(CanFdConf, sjwDbr) FIELD(CanFdConf, tseg1Dbr)
    FIELD(CanFdConf, tseg2Dbr) FIELD(CanFdConf, reserved) FIELD(CanFdConf, options) FIELD(CanFdConf, reserved1)
    FIELD(CanFdConf, reserved2)
    LAYOUT(BusParams) FIELD(BusParams, busType) FIELD(BusParams, data)
    FIELD(ClassicParams, bitRate) FIELD(ClassicParams, sjw) FIELD(ClassicParams, tseg1) FIELD(ClassicParams, tseg2)
    FIELD(ClassicParams, sam) FIELD(ClassicParams, outputMode) FIELD(ClassicParams, reserved)
    FIELD(ClassicParams, canOpMode)
    FIELD(FdParams, arbitrationBitRate) FIELD(FdParams, sjwAbr) FIELD(FdParams, tseg1Abr) FIELD(FdParams, tseg2Abr)
    FIELD(FdParams, samAbr) FIELD(FdParams, outputMode) FIELD(FdParams, sjwDbr) FIELD(FdParams, tseg1Dbr)
    FIELD(FdParams, tseg2Dbr) FIELD(FdParams, dataBitRate) FIELD(FdParams, canOpMode)
    LAYOUT(ChannelConfig) FIELD(ChannelConfig, name) FIELD(ChannelConfig, hwType) FIELD(ChannelConfig, hwIndex)
    FIELD(ChannelConfig, hwChannel) FIELD(ChannelConfig, transceiverType) FIELD(ChannelConfig, transceiverState)
    FIELD(ChannelConfig, configError) FIELD(ChannelConfig, channelIndex) FIELD(ChannelConfig, channelMask)
    FIELD(ChannelConfig, channelCapabilities) FIELD(ChannelConfig, channelBusCapabilities)
    FIELD(ChannelConfig, isOnBus) FIELD(ChannelConfig, connectedBusType) FIELD(ChannelConfig, busParams)
    FIELD(ChannelConfig, driverVersion) FIELD(ChannelConfig, interfaceVersion) FIELD(ChannelConfig, raw_data)
    FIELD(ChannelConfig, serialNumber) FIELD(ChannelConfig, articleNumber) FIELD(ChannelConfig, transceiverName)
    FIELD(ChannelConfig, specialCabFlags) FIELD(ChannelConfig, dominantTimeout)
    FIELD(ChannelConfig, dominantRecessiveDelay) FIELD(ChannelConfig, recessiveDominantDelay)
    FIELD(ChannelConfig, connectionInfo) FIELD(ChannelConfig, currentlyAvailableTimestamps)
    FIELD(ChannelConfig, minimalSupplyVoltage) FIELD(ChannelConfig, maximalSupplyVoltage)
    FIELD(ChannelConfig, maximalBaudrate) FIELD(ChannelConfig, fpgaCoreCapabilities)
    FIELD(ChannelConfig, specialDeviceStatus) FIELD(ChannelConfig, channelBusActiveCapabilities)
    FIELD(ChannelConfig, breakOffset) FIELD(ChannelConfig, delimiterOffset) FIELD(ChannelConfig, reserved)
    LAYOUT(DriverConfig) FIELD(DriverConfig, dllVersion) FIELD(DriverConfig, channelCount)
    FIELD(DriverConfig, reserved) FIELD(DriverConfig, channel)
    return -1;
}
