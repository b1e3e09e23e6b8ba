/* An emulated icsneo library of Intrepid: devices whose networks are one bus each, shared by all devices.
 *
 * Written from the tables of the neoVI API and of the structures. Both Intrepid's own module `ics` and the one in
 * tests/vendor/neovi_module load it. Hooks: "devices" (2), "open_ms" (how long opening takes), "echo_ms" (until the
 * echo of a sent frame arrives), "no_echo", "echo_error" (sent frames are reported as failed), "close_fails". A record
 * is injected into a device, numbered from 1; its code is the network, 1 by default. One of KIND_ERROR has StatusBitField3
 * in its code, one of KIND_STATE more bits of StatusBitField; one of KIND_OVERRUN is an error message of the device,
 * and marks the next frame.
 */
#include "stub.h"
#include <sys/file.h>
#include <fcntl.h>

typedef struct {
    uint32_t DeviceType;
    int32_t Handle, NumberOfClients, SerialNumber, MaxAllowedClients;
} NeoDevice;
typedef struct {
    NeoDevice neoDevice;
    uint32_t FirmwareMajor, FirmwareMinor, Status, Options;
    void *pAvailWIFINetwork, *pWIFIInterfaceInfo;
    int32_t isEthernetDevice;
    uint8_t MACAddress[6];
    uint16_t hardwareRev, revReserved;
    uint32_t ipAddress[4];
    uint16_t tcpPort, Reserved0;
    uint32_t Reserved1;
} NeoDeviceEx;
typedef struct {
    uint32_t StatusBitField, StatusBitField2, TimeHardware, TimeHardware2, TimeSystem, TimeSystem2;
    uint8_t TimeStampHardwareID, TimeStampSystemID, NetworkID, NodeID, Protocol, MessagePieceID;
    uint8_t ExtraDataPtrEnabled, NumberBytesHeader, NumberBytesData, NetworkID2;
    int16_t DescriptionID;
    uint32_t ArbIDOrHeader;
    uint8_t Data[8];
    union {
        struct { uint32_t StatusBitField3, StatusBitField4; };
        uint8_t AckBytes[8];
    };
    void *ExtraDataPtr;
    uint8_t MiscData;
    uint8_t Reserved[3];
} icsSpyMessage;
_Static_assert(sizeof(NeoDevice) == 20 && sizeof(NeoDeviceEx) == 96, "devices");
_Static_assert(offsetof(NeoDeviceEx, pAvailWIFINetwork) == 40 && offsetof(NeoDeviceEx, tcpPort) == 88, "devices");
_Static_assert(sizeof(icsSpyMessage) == 72 && offsetof(icsSpyMessage, NetworkID2) == 33, "messages");
_Static_assert(offsetof(icsSpyMessage, DescriptionID) == 34 && offsetof(icsSpyMessage, Data) == 40, "messages");
_Static_assert(offsetof(icsSpyMessage, StatusBitField3) == 48 && offsetof(icsSpyMessage, ExtraDataPtr) == 56, "messages");

enum { GLOBAL_ERR = 0x1, TX_MSG = 0x2, XTD_FRAME = 0x4, REMOTE_FRAME = 0x8, COMM_IN_OVERFLOW = 0x10000 };
enum { ERROR_FRAME = 0x20000 };
enum { CANFD_ESI = 0x1, CANFD_FDF = 0x8, CANFD_BRS = 0x10 };
enum { PROTOCOL_CAN = 1, PROTOCOL_CANFD = 30 };
enum { ERROR_NOT_OPEN = 75, ERROR_PARAMETER = 11, ERROR_TRANSMIT = 95, ERROR_RATE = 203, ERROR_OVERFLOW = 39, ERROR_OPEN = 62 };
#define SECONDS_2007 1167609600
#define TICK_NS 25

static const struct { int number; const char *brief, *detail; int severity, restart; } texts[] = {
    {ERROR_NOT_OPEN, "The device is not open.", "Open it before it is used.", 0x30, 0},
    {ERROR_PARAMETER, "A parameter is invalid.", "It is out of range.", 0x30, 0},
    {ERROR_TRANSMIT, "The message was not sent.", "The device did not accept it.", 0x10, 0},
    {ERROR_RATE, "The bit rate is not possible.", "The network does not have it.", 0x10, 1},
    {ERROR_OVERFLOW, "The receive buffer overflowed.", "Messages were lost.", 0x30, 0},
    {ERROR_OPEN, "The device could not be opened.", "Another program has it.", 0x10, 0},
};

static const uint16_t networks[] = {1, 2, 42, 534}; /* HSCAN, MSCAN, HSCAN2, DWCAN 9 */
static const uint32_t types[] = {0x04000000, 0x00400000, 0x04000000}; /* neoVI FIRE 2, ValueCAN 4-2 */
static const uint32_t serials[] = {779117064u, 123456u, 2176563376u}; /* CVV6KO, 123456, ZZVB1S: that with bit 31 set */
static const char *const names[] = {"neoVI FIRE 2", "ValueCAN 4-2", "neoVI FIRE 2"};

#define MAX_DEVICES 3
#define MAX_HANDLES 8
#define MAX_MESSAGES 20000
#define MAX_LATE 256
typedef struct {
    int used, closed, device, port, inside, lost, flags_overrun, error_count, last_error;
    int errors[600];
    uint8_t (*extra)[64]; /* of the messages that were read last */
    struct { int64_t due_ns; Record record; } late[MAX_LATE];
    int late_count;
} Handle;
static Handle handles[MAX_HANDLES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int device_count(void) {
    int64_t count = hook("devices", 2);
    return (int)(count < MAX_DEVICES ? count : MAX_DEVICES);
}

#define ORDERED(function) \
    do { \
        int64_t status; \
        if (told_to_fail(function, &status)) return (int)status; \
    } while (0)

/* As ORDERED, but the error is that of the device. */
#define ORDERED_ON(handle, function) \
    do { \
        int64_t status; \
        if (told_to_fail(function, &status)) return (handle)->last_error = (int)status, 0; \
    } while (0)

static Handle *handle_of(const char *function, void *object) {
    for (int i = 0; i < MAX_HANDLES; i++)
        if (object == &handles[i] && handles[i].used && (!handles[i].closed || handles[i].lost))
            return handles[i].closed ? NULL : &handles[i];
    violation("%s: %s", function, object ? "the device is closed" : "no device");
    return NULL;
}
static int failed(Handle *handle, int error) { return handle->last_error = error, 0; }

static int is_network(int network) {
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        if (networks[i] == network) return 1;
    return 0;
}

static void describe(int device, NeoDeviceEx *found) {
    memset(found, 0, sizeof *found);
    found->neoDevice = (NeoDevice){types[device], device + 1, 0, (int32_t)serials[device], 1};
    for (int i = 0; i < MAX_HANDLES; i++)
        if (handles[i].used && !handles[i].closed && handles[i].device == device) found->neoDevice.NumberOfClients++;
}

EXPORT int icsneoFindDevices(NeoDeviceEx *found, int *count, uint32_t *wanted, uint32_t wanted_count, void *options,
                             unsigned long reserved) {
    called("icsneoFindDevices %d %u", *count, wanted_count);
    ORDERED("icsneoFindDevices");
    if (reserved || options) violation("icsneoFindDevices: options");
    int room = *count;
    *count = 0;
    pthread_mutex_lock(&lock);
    for (int device = 0; device < device_count() && *count < room; device++) {
        int is_wanted = !wanted_count;
        for (uint32_t i = 0; i < wanted_count; i++) is_wanted |= wanted[i] == types[device];
        if (is_wanted) describe(device, &found[(*count)++]);
    }
    pthread_mutex_unlock(&lock);
    return 1;
}

EXPORT int icsneoGetDeviceName(const NeoDeviceEx *device, char *name, size_t size, int kind) {
    (void)kind;
    for (int i = 0; i < device_count(); i++)
        if ((int32_t)serials[i] == device->neoDevice.SerialNumber) {
            snprintf(name, size, "%s", names[i]);
            return (int)strlen(names[i]);
        }
    return 0;
}

EXPORT int icsneoOpenDevice(NeoDeviceEx *device, void **object, uint8_t *ids, int config_read, int options, void *more,
                            unsigned long reserved) {
    called("icsneoOpenDevice %u", (uint32_t)device->neoDevice.SerialNumber);
    (void)config_read;
    if (ids || options || more || reserved) violation("icsneoOpenDevice: options");
    char path[128];
    snprintf(path, sizeof path, "%.60s/opening", kit_folder());
    int file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 && flock(file, LOCK_EX | LOCK_NB)) violation("icsneoOpenDevice: two at a time");
    struct timespec pause = {0, hook("open_ms", 0) * 1000000};
    nanosleep(&pause, NULL);
    int64_t status;
    int number = -1, index = -1;
    if (!told_to_fail("icsneoOpenDevice", &status)) {
        pthread_mutex_lock(&lock);
        for (int i = 0; i < device_count(); i++)
            if ((int32_t)serials[i] == device->neoDevice.SerialNumber) number = i;
        for (int i = 0; i < MAX_HANDLES; i++) {
            if (!handles[i].used) index = i;
            else if (!handles[i].closed && handles[i].device == number) number = -1; /* one client */
        }
        if (number >= 0 && index >= 0) {
            Handle *handle = &handles[index];
            memset(handle, 0, sizeof *handle);
            handle->used = 1;
            handle->device = number;
            handle->port = port_open("neovi", 60000, 0, 0);
            handle->extra = calloc(MAX_MESSAGES, 64);
            opened(1);
            *object = handle;
        }
        pthread_mutex_unlock(&lock);
    }
    if (file >= 0) close(file);
    return number >= 0 && index >= 0;
}

static void shut(Handle *handle) {
    port_close(handle->port);
    handle->closed = 1;
    opened(-1);
}

EXPORT int icsneoClosePort(void *object, int *errors) {
    called("icsneoClosePort");
    pthread_mutex_lock(&lock);
    Handle *handle = handle_of("icsneoClosePort", object);
    int works = handle && !hook("close_fails", 0) && !handle->lost;
    if (handle) {
        if (handle->inside) violation("icsneoClosePort: another thread is inside the device");
        *errors = handle->error_count;
        shut(handle);
    }
    pthread_mutex_unlock(&lock);
    return works;
}

EXPORT void icsneoFreeObject(void *object) {
    called("icsneoFreeObject");
    pthread_mutex_lock(&lock);
    Handle *handle = object;
    if (handle < handles || handle >= handles + MAX_HANDLES || !handle->used || !handle->closed) violation("icsneoFreeObject: not closed");
    else {
        free(handle->extra);
        handle->extra = NULL;
        handle->used = 0;
    }
    pthread_mutex_unlock(&lock);
}

EXPORT int icsneoValidateHObject(void *object) {
    for (int i = 0; i < MAX_HANDLES; i++)
        if (object == &handles[i]) return handles[i].used && !handles[i].closed && !handles[i].lost;
    return 0;
}

static int set_rate(const char *function, void *object, int rate, int network, int highest) {
    called("%s %d %d", function, rate, network);
    pthread_mutex_lock(&lock);
    Handle *handle = handle_of(function, object);
    pthread_mutex_unlock(&lock);
    if (!handle) return 0;
    ORDERED_ON(handle, function);
    if (handle->lost) return failed(handle, ERROR_NOT_OPEN);
    if (!is_network(network)) return failed(handle, ERROR_PARAMETER);
    return rate < 5000 || rate > highest ? failed(handle, ERROR_RATE) : 1;
}
EXPORT int icsneoSetBitRate(void *object, int rate, int network) { return set_rate("icsneoSetBitRate", object, rate, network, 1000000); }
EXPORT int icsneoSetFDBitRate(void *object, int rate, int network) { return set_rate("icsneoSetFDBitRate", object, rate, network, 8000000); }

/* --- receiving ---------------------------------------------------------------------------------------------- */

/* Let the echoes arrive whose time has come; return the milliseconds until the next, -1 for none. */
static int64_t let_echoes_arrive(Handle *handle) {
    int64_t next = -1, now = now_ns();
    int kept = 0;
    for (int i = 0; i < handle->late_count; i++) {
        if (handle->late[i].due_ns <= now) {
            handle->late[i].record.time_ns = now;
            port_put(&ports[handle->port], &handle->late[i].record);
        } else {
            int64_t left = (handle->late[i].due_ns - now) / 1000000 + 1;
            if (next < 0 || left < next) next = left;
            handle->late[kept++] = handle->late[i];
        }
    }
    handle->late_count = kept;
    return next;
}

EXPORT int icsneoWaitForRxMessagesWithTimeOut(void *object, uint32_t milliseconds) {
    called("icsneoWaitForRxMessagesWithTimeOut %u", milliseconds);
    int64_t end = now_ns() + (int64_t)milliseconds * 1000000;
    int found = 0;
    pthread_mutex_lock(&lock);
    Handle *handle = handle_of("icsneoWaitForRxMessagesWithTimeOut", object);
    if (handle) handle->inside++;
    while (handle && !handle->lost) {
        int64_t next = let_echoes_arrive(handle), left = (end - now_ns() + 999999) / 1000000;
        int64_t slice = next >= 0 && next < left ? next : left;
        if ((found = port_count(handle->port) > 0) || left <= 0) break;
        pthread_mutex_unlock(&lock);
        port_wait(handle->port, slice < 10 ? slice : 10);
        pthread_mutex_lock(&lock);
    }
    if (handle) handle->inside--;
    pthread_mutex_unlock(&lock);
    return found || (handle && handle->lost);
}

static void spy_message(Handle *handle, const Record *record, icsSpyMessage *message, uint8_t *extra) {
    memset(message, 0, sizeof *message);
    uint32_t network = record->code ? record->code : 1;
    uint64_t ticks = (uint64_t)(record->time_ns - (int64_t)SECONDS_2007 * 1000000000) / TICK_NS;
    message->TimeHardware = (uint32_t)ticks;
    message->TimeHardware2 = (uint32_t)(ticks >> 32);
    message->TimeSystem = (uint32_t)((uint64_t)(record->time_ns / 1000000) + (uint64_t)hook("system_shift", 0));
    message->TimeStampHardwareID = 10;
    message->Protocol = record->flags & FLAG_FD ? PROTOCOL_CANFD : PROTOCOL_CAN;
    message->ArbIDOrHeader = record->id;
    message->NumberBytesHeader = 4;
    message->NumberBytesData = record->length;
    if (record->kind == KIND_ERROR || record->kind == KIND_STATE) {
        network = 1;
        message->StatusBitField = GLOBAL_ERR | (record->kind == KIND_STATE ? record->code : 0);
        message->StatusBitField2 = ERROR_FRAME;
        message->StatusBitField3 = record->kind == KIND_ERROR ? record->code : 0;
    }
    message->NetworkID = (uint8_t)network;
    message->NetworkID2 = (uint8_t)(network >> 8);
    if (record->flags & FLAG_EXTENDED) message->StatusBitField |= XTD_FRAME;
    if (record->flags & FLAG_REMOTE) message->StatusBitField |= REMOTE_FRAME;
    if (record->flags & FLAG_ECHO) {
        message->StatusBitField |= TX_MSG | (hook("echo_error", 0) ? GLOBAL_ERR : 0);
        message->DescriptionID = (int16_t)record->bitrate;
    }
    if (record->flags & FLAG_FD) {
        message->StatusBitField3 |= CANFD_FDF | (record->flags & FLAG_BRS ? CANFD_BRS : 0) | (record->flags & FLAG_ESI ? CANFD_ESI : 0);
    }
    if (handle->flags_overrun) message->StatusBitField |= COMM_IN_OVERFLOW, handle->flags_overrun = 0;
    memset(message->Data, 0xA5, 8);
    memcpy(message->Data, record->data, record->length < 8 ? record->length : 8);
    if (record->length > 8 && record->flags & FLAG_FD) {
        memcpy(extra, record->data, 64);
        message->ExtraDataPtr = extra;
        message->ExtraDataPtrEnabled = 1;
    }
}

EXPORT int icsneoGetMessages(void *object, icsSpyMessage *messages, int *count, int *errors) {
    called("icsneoGetMessages");
    pthread_mutex_lock(&lock);
    Handle *handle = handle_of("icsneoGetMessages", object);
    int64_t status;
    if (!handle || handle->lost || told_to_fail("icsneoGetMessages", &status)) {
        if (handle) handle->last_error = handle->lost ? ERROR_NOT_OPEN : (int)status;
        pthread_mutex_unlock(&lock);
        return 0;
    }
    if (handle->inside) violation("icsneoGetMessages: another thread is inside the device");
    let_echoes_arrive(handle);
    memset(handle->extra, 0xEE, 64 * 64); /* those of the last call are gone */
    *count = 0;
    Record record;
    while (*count < MAX_MESSAGES && port_take(handle->port, &record)) {
        spy_message(handle, &record, &messages[*count], handle->extra[*count]);
        ++*count;
    }
    *errors = handle->error_count;
    pthread_mutex_unlock(&lock);
    return 1;
}

EXPORT int icsneoGetTimeStampForMsg(void *object, icsSpyMessage *message, double *seconds) {
    pthread_mutex_lock(&lock);
    Handle *handle = handle_of("icsneoGetTimeStampForMsg", object);
    pthread_mutex_unlock(&lock);
    if (!handle) return 0;
    ORDERED_ON(handle, "icsneoGetTimeStampForMsg");
    uint64_t ticks = (uint64_t)message->TimeHardware2 << 32 | message->TimeHardware;
    *seconds = (double)(ticks * TICK_NS) / 1e9 + (double)hook("clock_shift", 0);
    return 1;
}

/* --- sending ------------------------------------------------------------------------------------------------ */

static int is_fd_length(int length) {
    return length <= 8 || length == 12 || length == 16 || length == 20 || length == 24 || length == 32 || length == 48 || length == 64;
}

static int transmit(Handle *handle, const icsSpyMessage *message, int network) {
    int own = message->NetworkID | message->NetworkID2 << 8, is_fd = message->Protocol == PROTOCOL_CANFD;
    if (own != network) violation("icsneoTxMessages: network %d in a message for %d", own, network);
    if (!is_network(network)) return failed(handle, ERROR_PARAMETER);
    if (message->Protocol && message->Protocol != PROTOCOL_CAN && !is_fd) violation("icsneoTxMessages: protocol %d", message->Protocol);
    if (message->StatusBitField & ~(uint32_t)(XTD_FRAME | REMOTE_FRAME) || message->StatusBitField2) violation("icsneoTxMessages: status %#x", message->StatusBitField);
    if (message->ArbIDOrHeader > (message->StatusBitField & XTD_FRAME ? 0x1FFFFFFFu : 0x7FFu)) violation("icsneoTxMessages: identifier %#x", message->ArbIDOrHeader);
    if (message->NumberBytesData > (is_fd ? 64 : 8) || !is_fd_length(message->NumberBytesData)) {
        violation("icsneoTxMessages: %d bytes", message->NumberBytesData);
        return failed(handle, ERROR_PARAMETER);
    }
    int has_extra = message->NumberBytesData > 8;
    if (has_extra && (!message->ExtraDataPtrEnabled || !message->ExtraDataPtr)) {
        violation("icsneoTxMessages: no extra data for %d bytes", message->NumberBytesData);
        return failed(handle, ERROR_PARAMETER);
    }
    Record record = {.kind = KIND_FRAME, .length = message->NumberBytesData, .id = message->ArbIDOrHeader, .code = (uint32_t)network};
    if (message->StatusBitField & XTD_FRAME) record.flags |= FLAG_EXTENDED;
    if (message->StatusBitField & REMOTE_FRAME) record.flags |= FLAG_REMOTE;
    if (is_fd) record.flags |= FLAG_FD | (message->StatusBitField3 & CANFD_BRS ? FLAG_BRS : 0) | (message->StatusBitField3 & CANFD_ESI ? FLAG_ESI : 0);
    if (!(record.flags & FLAG_REMOTE)) memcpy(record.data, has_extra ? message->ExtraDataPtr : message->Data, record.length);
    if (!hook("echo_error", 0)) port_send(handle->port, record);
    if (hook("no_echo", 0)) return 1;
    record.flags |= FLAG_ECHO;
    record.time_ns = now_ns();
    record.bitrate = (uint16_t)message->DescriptionID; /* of no use within a process */
    if (hook("echo_ms", 0) && handle->late_count < MAX_LATE) {
        handle->late[handle->late_count].record = record;
        handle->late[handle->late_count++].due_ns = now_ns() + hook("echo_ms", 0) * 1000000;
    } else {
        port_put(&ports[handle->port], &record);
    }
    return 1;
}

EXPORT int icsneoTxMessages(void *object, icsSpyMessage *messages, int network, int count) {
    called("icsneoTxMessages %d %d", network, count);
    pthread_mutex_lock(&lock);
    Handle *handle = handle_of("icsneoTxMessages", object);
    int64_t status;
    int sent = handle && !handle->lost;
    if (handle && handle->lost) handle->last_error = ERROR_NOT_OPEN;
    if (sent && told_to_fail("icsneoTxMessages", &status)) sent = failed(handle, (int)status);
    for (int i = 0; sent && i < count; i++) sent = transmit(handle, &messages[i], network);
    pthread_mutex_unlock(&lock);
    return sent;
}

/* --- errors ------------------------------------------------------------------------------------------------- */

EXPORT int icsneoGetErrorMessages(void *object, int *errors, int *count) {
    called("icsneoGetErrorMessages");
    pthread_mutex_lock(&lock);
    Handle *handle = handle_of("icsneoGetErrorMessages", object);
    if (handle) {
        memcpy(errors, handle->errors, sizeof(int) * (size_t)handle->error_count);
        *count = handle->error_count;
        handle->error_count = 0;
    }
    pthread_mutex_unlock(&lock);
    return handle != NULL;
}

EXPORT int icsneoGetErrorInfo(int number, char *brief, char *detail, int *brief_size, int *detail_size, int *severity, int *restart) {
    ORDERED("icsneoGetErrorInfo");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].number == number) {
            *brief_size = snprintf(brief, (size_t)*brief_size, "%s", texts[i].brief);
            *detail_size = snprintf(detail, (size_t)*detail_size, "%s", texts[i].detail);
            *severity = texts[i].severity;
            *restart = texts[i].restart;
            return 1;
        }
    return 0;
}

EXPORT int icsneoGetLastAPIError(void *object, unsigned long *number) {
    called("icsneoGetLastAPIError");
    ORDERED("icsneoGetLastAPIError");
    for (int i = 0; i < MAX_HANDLES; i++)
        if (object == &handles[i] && handles[i].used) {
            *number = (unsigned long)handles[i].last_error;
            return handles[i].last_error != 0;
        }
    return 0;
}

/* --- for the kit -------------------------------------------------------------------------------------------- */

static void library_reset(void) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MAX_HANDLES; i++) {
        if (handles[i].used && !handles[i].closed) port_close(handles[i].port);
        free(handles[i].extra);
    }
    memset(handles, 0, sizeof handles);
    pthread_mutex_unlock(&lock);
}

static int64_t library_layout(const char *structure, const char *field) {
    LAYOUT(NeoDevice) LAYOUT(NeoDeviceEx) LAYOUT(icsSpyMessage)
    FIELD(NeoDevice, DeviceType) FIELD(NeoDevice, Handle) FIELD(NeoDevice, NumberOfClients)
    FIELD(NeoDevice, SerialNumber) FIELD(NeoDevice, MaxAllowedClients)
    FIELD(NeoDeviceEx, neoDevice) FIELD(NeoDeviceEx, FirmwareMajor) FIELD(NeoDeviceEx, FirmwareMinor)
    FIELD(NeoDeviceEx, Status) FIELD(NeoDeviceEx, Options) FIELD(NeoDeviceEx, pAvailWIFINetwork)
    FIELD(NeoDeviceEx, pWIFIInterfaceInfo) FIELD(NeoDeviceEx, isEthernetDevice) FIELD(NeoDeviceEx, MACAddress)
    FIELD(NeoDeviceEx, hardwareRev) FIELD(NeoDeviceEx, revReserved) FIELD(NeoDeviceEx, ipAddress)
    FIELD(NeoDeviceEx, tcpPort) FIELD(NeoDeviceEx, Reserved0) FIELD(NeoDeviceEx, Reserved1)
    FIELD(icsSpyMessage, StatusBitField) FIELD(icsSpyMessage, StatusBitField2) FIELD(icsSpyMessage, TimeHardware)
    FIELD(icsSpyMessage, TimeHardware2) FIELD(icsSpyMessage, TimeSystem) FIELD(icsSpyMessage, TimeSystem2)
    FIELD(icsSpyMessage, TimeStampHardwareID) FIELD(icsSpyMessage, TimeStampSystemID) FIELD(icsSpyMessage, NetworkID)
    FIELD(icsSpyMessage, NodeID) FIELD(icsSpyMessage, Protocol) FIELD(icsSpyMessage, MessagePieceID)
    FIELD(icsSpyMessage, ExtraDataPtrEnabled) FIELD(icsSpyMessage, NumberBytesHeader)
    FIELD(icsSpyMessage, NumberBytesData) FIELD(icsSpyMessage, NetworkID2) FIELD(icsSpyMessage, DescriptionID)
    FIELD(icsSpyMessage, ArbIDOrHeader) FIELD(icsSpyMessage, Data) FIELD(icsSpyMessage, StatusBitField3)
    FIELD(icsSpyMessage, StatusBitField4) FIELD(icsSpyMessage, ExtraDataPtr) FIELD(icsSpyMessage, MiscData)
    return -1;
}

static Handle *handle_on(int32_t device) {
    for (int i = 0; i < MAX_HANDLES; i++)
        if (handles[i].used && !handles[i].closed && !handles[i].lost && handles[i].device == device - 1) return &handles[i];
    return NULL;
}

static int library_inject(int32_t device, const Record *record) {
    Handle *handle = handle_on(device);
    if (!handle) return -1;
    Record arrived = *record;
    if (!arrived.time_ns) arrived.time_ns = now_ns();
    if (record->kind == KIND_OVERRUN) {
        pthread_mutex_lock(&lock);
        handle->flags_overrun = 1;
        handle->errors[handle->error_count++ % 600] = ERROR_OVERFLOW;
        pthread_mutex_unlock(&lock);
    } else {
        port_put(&ports[handle->port], &arrived);
    }
    return 0;
}

static void library_unplug(int32_t device) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MAX_HANDLES; i++)
        if (handles[i].used && !handles[i].closed && (device < 0 || handles[i].device == device - 1)) handles[i].lost = 1;
    pthread_mutex_unlock(&lock);
}
